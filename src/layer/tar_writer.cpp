#include "layer/tar_writer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "layer/limits.hpp"
#include "layer/pax.hpp"
#include "layer/tar_header.hpp"
#include "sys/file.hpp"
#include "sys/splice.hpp"

namespace sbx::layer {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10U;
// Below this a file is cheaper to copy into the buffer than to send by itself.
constexpr std::uint64_t kSmallFile = std::uint64_t{64} << 10U;

// ustar, POSIX.1-1988: where the fields stand and how long they are.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kSum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLink{157, 100};
constexpr std::size_t kMagic = 257;
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};

constexpr std::uint64_t most_of(Field field) {
  return (std::uint64_t{1} << (3 * (field.size - 1))) - 1;
}

std::size_t padding_of(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

/// One header block being filled.
class Block {
 public:
  Block() {
    std::memcpy(bytes_.data() + kMagic, "ustar\00000", 8);
    number(kMajor, 0);
    number(kMinor, 0);
  }
  void text(Field field, std::string_view value) {
    std::memcpy(bytes_.data() + field.at, value.data(), std::min(value.size(), field.size));
  }
  void number(Field field, std::uint64_t value) {
    text(field, fmt::format("{:0{}o}", value, field.size - 1));
  }
  void type(char type) { bytes_.at(kType) = type; }
  [[nodiscard]] std::string finished() {
    text(kSum, "        ");
    std::uint64_t sum = 0;
    for (const char byte : bytes_) {
      sum += static_cast<unsigned char>(byte);
    }
    text(kSum, fmt::format("{:06o}", sum));
    bytes_.at(kSum.at + 6) = '\0';
    return {bytes_.data(), bytes_.size()};
  }

 private:
  std::array<char, kTarBlock> bytes_{};
};

/// "LENGTH KEY=VALUE\n", where the length counts itself; pax(1).
void add_record(std::string& out, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (rest + fmt::formatted_size("{}", size) != size) {
    size = rest + fmt::formatted_size("{}", size);
  }
  out += fmt::format("{} {}=", size, key);
  out += value;
  out += '\n';
}

char type_of(const ArchiveMember& member) {
  if (!member.hard_link.empty()) {
    return '1';
  }
  switch (member.mode & S_IFMT) {
    case S_IFLNK:
      return '2';
    case S_IFCHR:
      return '3';
    case S_IFBLK:
      return '4';
    case S_IFDIR:
      return '5';
    case S_IFIFO:
      return '6';
    default:
      return '0';
  }
}

std::string pax_records(const ArchiveMember& member, const std::string& link) {
  std::string out;
  if (member.path.size() > kName.size) {
    add_record(out, "path", member.path);
  }
  if (link.size() > kLink.size) {
    add_record(out, "linkpath", link);
  }
  if (member.size > most_of(kSize)) {
    add_record(out, "size", fmt::format_int(member.size).str());
  }
  if (member.uid > most_of(kUid)) {
    add_record(out, "uid", fmt::format_int(member.uid).str());
  }
  if (member.gid > most_of(kGid)) {
    add_record(out, "gid", fmt::format_int(member.gid).str());
  }
  const timespec& time = member.mtime;
  if (time.tv_nsec != 0 || time.tv_sec < 0 ||
      static_cast<std::uint64_t>(time.tv_sec) > most_of(kTime)) {
    // A time before 1970 and its fraction both count backwards: the second is the one above.
    const bool back = time.tv_sec < 0 && time.tv_nsec != 0;
    const std::int64_t seconds = back ? time.tv_sec + 1 : time.tv_sec;
    const std::int64_t part = back ? 1'000'000'000 - time.tv_nsec : time.tv_nsec;
    add_record(out, "mtime",
               fmt::format("{}{}.{:09}", back && seconds == 0 ? "-" : "", seconds, part));
  }
  for (const auto& [name, value] : member.xattrs) {
    add_record(out, "SCHILY.xattr." + name, value);
  }
  return out;
}

Error too_long(const ArchiveMember& member) {
  return Error::make(ErrorCode::kLimit, "archive", member.path,
                     "its name or its attributes are longer than a tar may have them");
}

}  // namespace

Result<std::string> format_tar_header(const ArchiveMember& member) {
  const std::string& link = member.hard_link.empty() ? member.symlink : member.hard_link;
  const std::string records = pax_records(member, link);
  if (records.size() > kMaxPaxSize || member.path.size() > kMaxPath + 1) {
    return fail(too_long(member));
  }
  std::string out;
  if (!records.empty()) {
    Block pax;
    pax.text(kName, "PaxHeaders/0");
    pax.number(kMode, 0644);
    pax.number(kUid, 0);
    pax.number(kGid, 0);
    pax.number(kSize, records.size());
    pax.number(kTime, 0);
    pax.type('x');
    out = pax.finished() + records;
    out.append(padding_of(records.size()), '\0');
  }
  Block block;
  block.text(kName, member.path);
  block.number(kMode, member.mode & 07777);
  // What has no room stands in the PAX header alone.
  const auto or_zero = [](std::uint64_t value, Field field) {
    return value <= most_of(field) ? value : 0;
  };
  block.number(kUid, or_zero(member.uid, kUid));
  block.number(kGid, or_zero(member.gid, kGid));
  block.number(kSize, or_zero(member.size, kSize));
  block.number(kTime, member.mtime.tv_sec < 0
                          ? 0
                          : or_zero(static_cast<std::uint64_t>(member.mtime.tv_sec), kTime));
  block.type(type_of(member));
  block.text(kLink, link);
  if (S_ISCHR(member.mode) || S_ISBLK(member.mode)) {
    block.number(kMajor, or_zero(major(member.rdev), kMajor));
    block.number(kMinor, or_zero(minor(member.rdev), kMinor));
  }
  return out + block.finished();
}

TarWriter::TarWriter(int fd, std::string name) : fd_(fd), name_(std::move(name)) {
  buffer_.reserve(kBufferBytes);
}

Result<void> TarWriter::begin(const ArchiveMember& member) {
  SBX_TRY(pad());
  SBX_TRY(put(SBX_TRY(format_tar_header(member))));
  missing_ = member.size;
  padding_ = padding_of(member.size);
  return {};
}

Result<void> TarWriter::pad() {
  if (missing_ != 0) {
    return fail(Error::make(ErrorCode::kCorrupt, "write archive", name_,
                            fmt::format("a member lacks {} bytes", missing_)));
  }
  return put(std::string(std::exchange(padding_, 0), '\0'));
}

Result<void> TarWriter::write(std::span<const std::byte> data) {
  if (data.size() > missing_) {
    return fail(Error::make(ErrorCode::kCorrupt, "write archive", name_,
                            "a member has more bytes than it said"));
  }
  missing_ -= data.size();
  return put({reinterpret_cast<const char*>(data.data()), data.size()});
}

Result<std::uint64_t> TarWriter::write_from(int fd, std::uint64_t size, std::string_view name) {
  std::uint64_t done = 0;
  if (size > kSmallFile) {
    SBX_TRY(flush());
    while (done < size) {
      const FsResult<std::size_t> sent = sys::send_file(fd_, fd, size - done);
      if (!sent && sent.error() != Errno(EINVAL)) {
        return fail(Error::system("archive", name, sent.error().value()));
      }
      if (!sent || *sent == 0) {
        break;
      }
      done += *sent;
      missing_ -= *sent;
    }
  }
  std::vector<std::byte> piece(
      static_cast<std::size_t>(std::min<std::uint64_t>(size - done, kBufferBytes)));
  while (done < size) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(size - done, piece.size()));
    const std::size_t got = SBX_TRY(sys::read_some(fd, std::span(piece).first(wanted), name));
    if (got == 0) {
      break;
    }
    SBX_TRY(write(std::span(piece).first(got)));
    done += got;
  }
  return done;
}

Result<void> TarWriter::fill() {
  const std::string zeros(kTarBlock, '\0');
  while (missing_ > 0) {
    const std::size_t now = static_cast<std::size_t>(std::min<std::uint64_t>(missing_, kTarBlock));
    SBX_TRY(put(std::string_view(zeros).substr(0, now)));
    missing_ -= now;
  }
  return {};
}

Result<void> TarWriter::finish() {
  SBX_TRY(pad());
  SBX_TRY(put(std::string(2 * kTarBlock, '\0')));
  return flush();
}

Result<void> TarWriter::put(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    SBX_TRY(flush());
  }
  if (bytes.size() > kBufferBytes) {
    return sys::write_full(fd_, bytes, name_);
  }
  buffer_ += bytes;
  return {};
}

Result<void> TarWriter::flush() {
  Result<void> written = sys::write_full(fd_, buffer_, name_);
  buffer_.clear();
  return written;
}

}  // namespace sbx::layer
