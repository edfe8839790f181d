#include "overlay/core/marks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "overlay/core/copy_range.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace {

namespace at = sys::at;

constexpr char kVersion = '1';
// What becomes a symlink: xfs takes 1023 bytes, others 4095.
constexpr std::size_t kLinkMax = 1000;
// The largest value with each byte escaped, and room for others.
constexpr std::size_t kTextMax = 4 * kXattrSizeMax;
constexpr std::size_t kMarksMax = 1024;
constexpr const char* kAside = "new";  // a list that is being written

constexpr std::string_view kDigits = "0123456789abcdef";

void append_escaped(std::string& text, std::string_view part) {
  for (const char byte : part) {
    if (byte == '%' || byte == '=' || byte == ';' || byte == '\0') {
      const auto value = static_cast<unsigned char>(byte);
      text.push_back('%');
      text.push_back(kDigits[value >> 4U]);
      text.push_back(kDigits[value & 15U]);
    } else {
      text.push_back(byte);
    }
  }
}

/// Takes what is before the first `end`, escapes resolved. False if there is no end or an escape is none.
bool take_escaped(std::string_view& text, char end, std::string& part) {
  const std::size_t length = text.find(end);
  if (length == std::string_view::npos) {
    return false;
  }
  std::string_view raw = text.substr(0, length);
  text.remove_prefix(length + 1);
  part.reserve(raw.size());
  while (!raw.empty()) {
    if (raw.front() != '%') {
      part.push_back(raw.front());
      raw.remove_prefix(1);
      continue;
    }
    const std::size_t high = raw.size() < 3 ? kDigits.npos : kDigits.find(raw[1]);
    const std::size_t low = raw.size() < 3 ? kDigits.npos : kDigits.find(raw[2]);
    if (high == kDigits.npos || low == kDigits.npos) {
      return false;
    }
    part.push_back(static_cast<char>(high * 16 + low));
    raw.remove_prefix(3);
  }
  return true;
}

auto find(std::vector<Mark>& marks, std::string_view name) {
  return std::find_if(marks.begin(), marks.end(),
                      [&](const Mark& mark) { return mark.name == name; });
}

FsResult<std::uint64_t> number_of(int fd) noexcept { return SBX_TRY(at::stat(fd)).st_ino; }

std::string_view text_of(std::span<const std::byte> value) {
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

}  // namespace

std::string format_marks(const std::vector<Mark>& marks) {
  std::string text(1, kVersion);
  for (const Mark& mark : marks) {
    append_escaped(text, mark.name);
    text.push_back('=');
    append_escaped(text, mark.value);
    text.push_back(';');
  }
  return text;
}

FsResult<std::vector<Mark>> parse_marks(std::string_view text) noexcept {
  if (text.empty() || text.size() > kTextMax || text.front() != kVersion) {
    return no(EIO);
  }
  text.remove_prefix(1);
  std::vector<Mark> marks;
  while (!text.empty()) {
    Mark mark;
    const bool whole = take_escaped(text, '=', mark.name) && take_escaped(text, ';', mark.value);
    if (!whole || mark.name.empty() || mark.name.size() > XATTR_NAME_MAX ||
        mark.name.find('\0') != std::string::npos || mark.value.size() > kXattrSizeMax ||
        marks.size() == kMarksMax || find(marks, mark.name) != marks.end()) {
      return no(EIO);
    }
    marks.push_back(std::move(mark));
  }
  return marks;
}

FsResult<std::vector<Mark>> Marks::load(std::uint64_t ino) const noexcept {
  const fmt::format_int name(ino);
  std::array<char, kLinkMax + 1> link;  // NOLINT: filled below
  const auto size = at::read_link(store_.get(), name.c_str(), link);
  if (size) {
    return *size <= kLinkMax ? parse_marks({link.data(), *size}) : no(EIO);
  }
  if (size.error() == Errno(ENOENT)) {
    return std::vector<Mark>();
  }
  if (size.error() != Errno(EINVAL)) {
    return fail(size.error());
  }
  // Not a symlink. Whatever else it may be must not block us.
  const sys::Fd file =
      SBX_TRY(at::open(store_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const struct stat st = SBX_TRY(at::stat(file.get()));
  if (!S_ISREG(st.st_mode) || st.st_size > static_cast<off_t>(kTextMax)) {
    return no(EIO);
  }
  std::string text(static_cast<std::size_t>(st.st_size), '\0');
  text.resize(SBX_TRY(at::pread_full(file.get(), std::as_writable_bytes(std::span(text)), 0)));
  return parse_marks(text);
}

FsResult<void> Marks::store(std::uint64_t ino, const std::vector<Mark>& marks,
                            bool first) const noexcept {
  const fmt::format_int name(ino);
  if (marks.empty()) {
    const auto removed = at::unlink(store_.get(), name.c_str());
    return removed || removed.error() == Errno(ENOENT) ? FsResult<void>() : removed;
  }
  const std::string text = format_marks(marks);
  if (marks.size() > kMarksMax || text.size() > kTextMax) {
    return no(ENOSPC);
  }
  if (text.size() <= kLinkMax) {
    const auto linked = store_link(name.c_str(), text, first);
    if (linked || linked.error() != Errno(ENAMETOOLONG)) {
      return linked;
    }
  }
  return store_file(name.c_str(), text);
}

FsResult<void> Marks::store_link(const char* name, const std::string& text,
                                 bool first) const noexcept {
  if (first) {
    const auto made = at::symlink(text.c_str(), store_.get(), name);
    if (made || made.error() != Errno(EEXIST)) {
      return made;
    }
  }
  auto made = at::symlink(text.c_str(), store_.get(), kAside);
  if (!made && made.error() == Errno(EEXIST)) {
    SBX_TRY(at::unlink(store_.get(), kAside));  // of one who was killed
    made = at::symlink(text.c_str(), store_.get(), kAside);
  }
  return made ? at::rename(store_.get(), kAside, store_.get(), name) : made;
}

FsResult<void> Marks::store_file(const char* name, const std::string& text) const noexcept {
  (void)at::unlink(store_.get(), kAside);  // seldom there
  const sys::Fd file =
      SBX_TRY(at::open(store_.get(), kAside, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600));
  SBX_TRY(at::pwrite_full(file.get(), std::as_bytes(std::span(text)), 0));
  if (durability_ == sys::Durability::kSynced) {
    SBX_TRY(at::sync(file.get(), at::SyncKind::kDataOnly));  // before it replaces what was whole
  }
  return at::rename(store_.get(), kAside, store_.get(), name);
}

FsResult<std::size_t> Marks::get(int fd, const char* name,
                                 std::span<std::byte> value) const noexcept {
  if (!in_files()) {
    return at::get_xattr(fd, name, value);
  }
  auto marks = SBX_TRY(all(fd));
  const auto found = find(marks, name);
  if (found == marks.end()) {
    return no(ENODATA);
  }
  const auto bytes = std::as_bytes(std::span(found->value));
  if (!value.empty() && value.size() < bytes.size()) {
    return no(ERANGE);
  }
  if (!value.empty()) {
    std::copy(bytes.begin(), bytes.end(), value.begin());
  }
  return bytes.size();
}

FsResult<void> Marks::set(int fd, const char* name, std::span<const std::byte> value,
                          int flags) const noexcept {
  if (!in_files()) {
    return at::set_xattr(fd, name, value, flags);
  }
  if (value.size() > kXattrSizeMax) {
    return no(E2BIG);
  }
  const std::uint64_t ino = SBX_TRY(number_of(fd));
  auto marks = SBX_TRY(load(ino));
  const auto found = find(marks, name);
  if (found == marks.end()) {
    if ((flags & XATTR_REPLACE) != 0) {
      return no(ENODATA);
    }
    marks.push_back({name, std::string(text_of(value))});
  } else {
    if ((flags & XATTR_CREATE) != 0) {
      return no(EEXIST);
    }
    if (found->value == text_of(value)) {
      return {};
    }
    found->value = text_of(value);
  }
  return store(ino, marks, false);
}

FsResult<void> Marks::set_first(int fd, const char* name,
                                std::span<const std::byte> value) const noexcept {
  if (!in_files()) {
    return at::set_xattr(fd, name, value);
  }
  return store(SBX_TRY(number_of(fd)), {{name, std::string(text_of(value))}}, true);
}

FsResult<void> Marks::remove(int fd, const char* name) const noexcept {
  if (!in_files()) {
    return at::remove_xattr(fd, name);
  }
  const std::uint64_t ino = SBX_TRY(number_of(fd));
  auto marks = SBX_TRY(load(ino));
  const auto found = find(marks, name);
  if (found == marks.end()) {
    return no(ENODATA);
  }
  marks.erase(found);
  return store(ino, marks, false);
}

FsResult<std::size_t> Marks::list(int fd, std::span<char> names) const noexcept {
  if (!in_files()) {
    return at::list_xattr(fd, names);
  }
  std::string list;
  for (const Mark& mark : SBX_TRY(all(fd))) {
    list.append(mark.name).push_back('\0');
  }
  if (!names.empty() && names.size() < list.size()) {
    return no(ERANGE);
  }
  if (!names.empty()) {
    std::copy(list.begin(), list.end(), names.begin());
  }
  return list.size();
}

FsResult<std::vector<Mark>> Marks::all(int fd) const noexcept {
  return load(SBX_TRY(number_of(fd)));
}

void Marks::forget(std::uint64_t ino) const noexcept {
  if (in_files()) {
    // What stays is of nobody, and the next file of this number replaces it.
    (void)at::unlink(store_.get(), fmt::format_int(ino).c_str());
  }
}

FsResult<void> Marks::sync() const noexcept {
  return in_files() ? at::sync(store_.get(), at::SyncKind::kAll) : FsResult<void>();
}

}  // namespace sbx::overlay
