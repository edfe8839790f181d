#include "layer/tar_reader.hpp"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>

#include "layer/limits.hpp"
#include "layer/tar_path.hpp"

namespace sbx::layer {
namespace {

constexpr std::int64_t kMaxId = UINT32_MAX - 1;    // 2^32-1 means "no change" to chown(2)
constexpr std::int64_t kMaxMajor = (1 << 12) - 1;  // what the kernel's dev_t holds
constexpr std::int64_t kMaxMinor = (1 << 20) - 1;
constexpr std::int64_t kMaxFileSize = std::int64_t{1} << 62U;

Unexpected<Error> refuse(ErrorCode code, std::string_view path, std::string reason) {
  return fail(Error::make(code, "read tar entry", path, std::move(reason)));
}

std::uint64_t padded(std::uint64_t size) { return (size + kTarBlock - 1) / kTarBlock * kTarBlock; }

/// The types whose header is all there is; docker's reader takes no body for them whatever the size says.
bool header_only(char type) { return type >= '1' && type <= '6'; }

Result<std::uint32_t> owner_id(std::string_view path, std::string_view what, std::int64_t id) {
  if (id < 0 || id > kMaxId) {
    return refuse(ErrorCode::kCorrupt, path, fmt::format("the {} id {} is out of range", what, id));
  }
  return static_cast<std::uint32_t>(id);
}

Result<EntryType> entry_type(const TarHeader& header, std::string_view path) {
  switch (header.type) {
    case '\0':  // V7 marks a directory by a slash at the end of its name
      return header.name.ends_with('/') ? EntryType::kDirectory : EntryType::kRegular;
    case '0':
    case '7':
    case 'S':
      return EntryType::kRegular;
    case '1':
      return EntryType::kHardLink;
    case '2':
      return EntryType::kSymlink;
    case '3':
      return EntryType::kCharDevice;
    case '4':
      return EntryType::kBlockDevice;
    case '5':
    case 'D':  // GNU incremental dump: a directory whose body lists names
      return EntryType::kDirectory;
    case '6':
      return EntryType::kFifo;
    default:
      return refuse(
          ErrorCode::kUnsupported, path,
          fmt::format("entries of type '{}' are not supported", printable({&header.type, 1})));
  }
}

Result<std::string> link_of(EntryType type, std::string_view path, std::string raw) {
  if (type == EntryType::kHardLink) {
    std::string target = SBX_TRY(clean_tar_path(raw).context("reading where a hard link leads"));
    if (target.empty()) {
      return refuse(ErrorCode::kCorrupt, path, "it is a hard link to nothing");
    }
    return target;
  }
  if (type != EntryType::kSymlink) {
    return std::string();
  }
  if (raw.empty() || raw.size() > kMaxPath) {
    return refuse(ErrorCode::kCorrupt, path,
                  "the target of a symbolic link must have 1 to 4095 bytes");
  }
  return raw;
}

}  // namespace

Result<void> TarReader::feed(std::span<const std::byte> data) {
  while (!data.empty()) {
    if (const std::uint64_t pass = std::min<std::uint64_t>(skippable(), data.size()); pass != 0) {
      skip(pass);
      data = data.subspan(pass);
      continue;
    }
    const std::size_t take = std::min(data.size(), kTarBlock - block_used_);
    std::memcpy(block_.data() + block_used_, data.data(), take);
    data = data.subspan(take);
    block_used_ += take;
    offset_ += take;
    if (block_used_ == kTarBlock) {
      block_used_ = 0;
      SBX_TRY(on_block());
    }
  }
  return {};
}

std::uint64_t TarReader::skippable() const noexcept {
  if (state_ == State::kEnd) {
    return UINT64_MAX;
  }
  return state_ == State::kData ? remaining_ : 0;
}

void TarReader::skip(std::uint64_t bytes) noexcept {
  offset_ += bytes;
  if (state_ == State::kData) {
    remaining_ -= bytes;
    state_ = remaining_ == 0 ? State::kHeader : State::kData;
  }
}

void TarReader::pass_over(std::uint64_t bytes) {
  remaining_ = padded(bytes);
  state_ = remaining_ == 0 ? State::kHeader : State::kData;
}

Result<void> TarReader::finish() const {
  // One zero block, or none, at the end is what several writers leave; Go's reader takes it too.
  const bool between =
      state_ == State::kHeader && block_used_ == 0 && !pax_ && !long_name_ && !long_link_;
  if (state_ == State::kEnd || between) {
    return {};
  }
  return fail(Error::make(ErrorCode::kCorrupt, "read tar", "",
                          fmt::format("it stops at byte {}, inside of an entry", offset_)));
}

Result<void> TarReader::on_block() {
  switch (state_) {
    case State::kHeader:
      return on_header();
    case State::kMeta: {
      const std::size_t take = std::min<std::size_t>(kTarBlock, meta_size_ - meta_.size());
      meta_.append(reinterpret_cast<const char*>(block_.data()), take);
      return meta_.size() == meta_size_ ? on_meta() : Result<void>();
    }
    case State::kSparseBlocks:
      return add_sparse_parts(0, kSparsePartsInBlock, kSparseMoreInBlock);
    case State::kSparseMap:
      return on_sparse_map_block();
    case State::kData:
    case State::kEnd:
      break;  // feed() passes over these
  }
  return {};
}

Result<void> TarReader::on_zero_block() {
  if (pax_ || long_name_ || long_link_) {
    return refuse(ErrorCode::kCorrupt, "", "an extended header with no entry behind it");
  }
  state_ = ++zero_blocks_ == 2 ? State::kEnd : State::kHeader;
  return {};
}

Result<void> TarReader::on_header() {
  if (is_zero_block(block_)) {
    return on_zero_block();
  }
  if (zero_blocks_ != 0) {
    // Readers disagree whether the tar has ended: what one checks, another would not see.
    return refuse(ErrorCode::kCorrupt, "",
                  fmt::format("a lone zero block before byte {}", offset_ - kTarBlock));
  }
  header_ = SBX_TRY(parse_tar_header(block_, offset_ - kTarBlock));
  if (header_.size < 0 || header_.size > kMaxFileSize) {
    return refuse(ErrorCode::kCorrupt, header_.name,
                  fmt::format("the size {} is out of range", header_.size));
  }
  switch (header_.type) {
    case 'x':
    case 'X':  // Solaris, before POSIX had settled
    case 'g':
    case 'L':
    case 'K':
      return begin_meta();
    case 'V':  // a volume label of GNU tar
      pass_over(static_cast<std::uint64_t>(header_.size));
      return {};
    default:
      return begin_entry();
  }
}

Result<void> TarReader::begin_meta() {
  meta_size_ = static_cast<std::uint64_t>(header_.size);
  if (meta_size_ > kMaxPaxSize) {
    return refuse(ErrorCode::kLimit, header_.name, "an extended header larger than 1 MiB");
  }
  meta_.clear();
  state_ = State::kMeta;
  return meta_size_ == 0 ? on_meta() : Result<void>();
}

Result<void> TarReader::on_meta() {
  state_ = State::kHeader;
  if (header_.type == 'L' || header_.type == 'K') {
    std::optional<std::string>& target = header_.type == 'L' ? long_name_ : long_link_;
    target = meta_.substr(0, meta_.find('\0'));
    return {};
  }
  PaxHeader parsed =
      SBX_TRY(parse_pax(meta_).context(fmt::format("reading the header before byte {}", offset_)));
  if (header_.type != 'g') {
    pax_ = std::move(parsed);
    return {};
  }
  if (parsed.path || parsed.link || parsed.size || parsed.sparse_real_size ||
      !parsed.sparse_numbers.empty()) {
    return refuse(ErrorCode::kCorrupt, header_.name,
                  "a global header that names or sizes every entry");
  }
  merge_global(global_, parsed);
  global_ = std::move(parsed);
  return {};
}

/// What PAX and GNU headers say, over what the header block says.
Result<void> TarReader::override_header(const PaxHeader& pax, bool sparse) {
  if (std::optional<std::string> name = std::exchange(long_name_, std::nullopt)) {
    header_.name = *std::move(name);
  }
  if (std::optional<std::string> link = std::exchange(long_link_, std::nullopt)) {
    header_.link = *std::move(link);
  }
  header_.name = pax.path.value_or(header_.name);
  header_.name = sparse ? pax.sparse_name.value_or(header_.name) : header_.name;
  header_.link = pax.link.value_or(header_.link);
  header_.size = pax.size.value_or(header_.size);
  header_.uid = pax.uid.value_or(header_.uid);
  header_.gid = pax.gid.value_or(header_.gid);
  if (header_.size < 0 || header_.size > kMaxFileSize) {
    return refuse(ErrorCode::kCorrupt, header_.name,
                  fmt::format("the size {} is out of range", header_.size));
  }
  return {};
}

Result<TarEntry> TarReader::make_entry(const PaxHeader& pax) const {
  TarEntry entry;
  entry.path = SBX_TRY(clean_tar_path(header_.name));
  entry.type = SBX_TRY(entry_type(header_, entry.path));
  entry.link = SBX_TRY(link_of(entry.type, entry.path, header_.link));
  entry.mode = header_.mode;
  entry.uid = SBX_TRY(owner_id(entry.path, "user", header_.uid));
  entry.gid = SBX_TRY(owner_id(entry.path, "group", header_.gid));
  entry.mtime_sec = pax.mtime ? pax.mtime->seconds : header_.mtime;
  entry.mtime_nsec = pax.mtime ? pax.mtime->nanoseconds : 0;
  entry.xattrs.assign(pax.xattrs.begin(), pax.xattrs.end());
  if (entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice) {
    if (header_.device_major < 0 || header_.device_major > kMaxMajor || header_.device_minor < 0 ||
        header_.device_minor > kMaxMinor) {
      return refuse(ErrorCode::kCorrupt, entry.path, "the device number is out of range");
    }
    entry.rdev = makedev(static_cast<unsigned>(header_.device_major),
                         static_cast<unsigned>(header_.device_minor));
  }
  return entry;
}

/// The header block and what stood before it, made one entry.
Result<void> TarReader::begin_entry() {
  PaxHeader pax = std::exchange(pax_, std::nullopt).value_or(PaxHeader());
  merge_global(global_, pax);
  const bool regular = header_.type == '\0' || header_.type == '0' || header_.type == '7';
  const bool sparse =
      regular && (pax.sparse_major || pax.sparse_minor || !pax.sparse_numbers.empty());
  SBX_TRY(override_header(pax, sparse));
  TarEntry entry = SBX_TRY(make_entry(pax));
  const auto stored = static_cast<std::uint64_t>(header_only(header_.type) ? 0 : header_.size);
  if (header_.type == 'S') {
    return begin_old_sparse(std::move(entry), stored);
  }
  if (sparse && entry.type == EntryType::kRegular) {
    return begin_pax_sparse(std::move(entry), pax, stored);
  }
  entry.size = entry.type == EntryType::kRegular ? stored : 0;
  entry.data_offset = offset_;
  pass_over(stored);
  return on_entry_(entry);
}

Result<void> TarReader::begin_pax_sparse(TarEntry entry, const PaxHeader& pax,
                                         std::uint64_t stored) {
  const std::int64_t real_size = pax.sparse_real_size.value_or(-1);
  if (real_size < 0 || real_size > kMaxFileSize) {
    return refuse(ErrorCode::kCorrupt, entry.path, "a sparse file without a valid size");
  }
  const std::int64_t major = pax.sparse_major.value_or(0);
  const std::int64_t minor = pax.sparse_minor.value_or(0);
  entry.size = static_cast<std::uint64_t>(real_size);
  remaining_ = stored;
  if (major == 1 && minor == 0) {
    sparse_entry_ = std::move(entry);
    sparse_map_ = SparseMapReader();
    state_ = State::kSparseMap;
    return {};
  }
  if (major != 0 || minor < 0 || minor > 1) {
    return refuse(ErrorCode::kUnsupported, entry.path,
                  fmt::format("GNU sparse format {}.{}", major, minor));
  }
  return finish_sparse(std::move(entry), pax.sparse_numbers);
}

Result<void> TarReader::on_sparse_map_block() {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(kTarBlock, remaining_));
  remaining_ -= take;
  SBX_TRY(sparse_map_.add_block({reinterpret_cast<const char*>(block_.data()), take}));
  if (sparse_map_.complete()) {
    return finish_sparse(std::move(sparse_entry_), sparse_map_.numbers());
  }
  if (take < kTarBlock || remaining_ == 0) {
    return refuse(ErrorCode::kCorrupt, sparse_entry_.path, "the map of a sparse file has no end");
  }
  return {};
}

/// Type 'S': the first extents stand in the header, further ones in blocks between it and the data.
Result<void> TarReader::begin_old_sparse(TarEntry entry, std::uint64_t stored) {
  const std::string_view real_size(reinterpret_cast<const char*>(block_.data()) + kSparseRealSize,
                                   12);
  const std::int64_t size = SBX_TRY(parse_tar_number(real_size));
  if (size < 0 || size > kMaxFileSize) {
    return refuse(ErrorCode::kCorrupt, entry.path, "a sparse file without a valid size");
  }
  entry.size = static_cast<std::uint64_t>(size);
  remaining_ = stored;
  sparse_entry_ = std::move(entry);
  sparse_numbers_.clear();
  return add_sparse_parts(kSparseInHeader, kSparsePartsInHeader, kSparseMoreInHeader);
}

Result<void> TarReader::add_sparse_parts(std::size_t at, std::size_t count, std::size_t more) {
  for (const TarSparsePart& part : SBX_TRY(parse_sparse_parts(block_, at, count))) {
    sparse_numbers_.push_back(part.offset);
    sparse_numbers_.push_back(part.length);
  }
  if (sparse_numbers_.size() / 2 > kMaxSparseExtents) {
    return refuse(ErrorCode::kLimit, sparse_entry_.path, "a sparse file with too many extents");
  }
  if (block_[more] != std::byte{0}) {
    state_ = State::kSparseBlocks;
    return {};
  }
  return finish_sparse(std::move(sparse_entry_), sparse_numbers_);
}

/// `remaining_` is what is stored of the file from here on.
Result<void> TarReader::finish_sparse(TarEntry entry, std::span<const std::int64_t> numbers) {
  Result<std::vector<ImageTree::Extent>> extents =
      make_extents(numbers, entry.size, remaining_, offset_);
  if (!extents) {
    return fail(std::move(extents).error().with_context(
        fmt::format("reading '{}'", printable(entry.path))));
  }
  entry.extents = std::move(extents).value();
  entry.sparse = true;
  entry.data_offset = offset_;
  pass_over(remaining_);
  return on_entry_(entry);
}

}  // namespace sbx::layer
