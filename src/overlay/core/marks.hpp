#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/core/types.hpp"
#include "sys/fd.hpp"
#include "sys/file.hpp"

namespace sbx::overlay {

/// One attribute: our marks and the sandbox's own, under the names they have on disk.
struct Mark {
  std::string name;
  std::string value;
  friend bool operator==(const Mark&, const Mark&) = default;
};

/// The text of a side file: a version, then NAME=VALUE; for each mark, '%', '=', ';' and NUL as %XX. See README.md.
std::string format_marks(const std::vector<Mark>& marks);
/// EIO for what is not of this form, too many or too long: somebody else wrote it.
FsResult<std::vector<Mark>> parse_marks(std::string_view text) noexcept;

/// Where the files of an upper directory keep their attributes, called as sys::at's are. Either extended attributes, or, on
/// file systems without, side files: for each file that has any, an entry of a directory of their own, named by the file's inode
/// number. So hard links share it and a rename needs nothing. It is a symlink whose target is the list: made and read by one
/// call each, and nothing between all and nothing. A list too long for that is a regular file, written aside and renamed.
///
/// A number is used again when its file is gone, so a new file must begin with set_first(), before it has a name that counts.
///
/// Not safe from several threads by itself as far as changes go; readers see the old list or the new one.
class Marks {
 public:
  /// Extended attributes.
  Marks() = default;
  /// Side files in `store`. kSynced: a list survives a power cut before the change is reported.
  Marks(sys::Fd store, sys::Durability durability)
      : store_(std::move(store)), durability_(durability) {}

  [[nodiscard]] bool in_files() const { return store_.valid(); }

  /// The value's size. An empty span asks for it; ENODATA if there is none, ERANGE if the span is too small.
  FsResult<std::size_t> get(int fd, const char* name, std::span<std::byte> value) const noexcept;
  /// `flags` as setxattr(2). ENOSPC if the file has too many.
  FsResult<void> set(int fd, const char* name, std::span<const std::byte> value,
                     int flags = 0) const noexcept;
  /// The first of a file that was just made: what lies under its number is of a file that is gone.
  FsResult<void> set_first(int fd, const char* name,
                           std::span<const std::byte> value) const noexcept;
  FsResult<void> remove(int fd, const char* name) const noexcept;
  /// Names, each with its NUL. An empty span asks for the size.
  FsResult<std::size_t> list(int fd, std::span<char> names) const noexcept;

  /// Side files: all of a file's. EIO if they are damaged.
  [[nodiscard]] FsResult<std::vector<Mark>> all(int fd) const noexcept;
  /// Side files: the file of this number has lost its last name, or is about to.
  void forget(std::uint64_t ino) const noexcept;
  /// Side files: brings what was changed to the disk. Extended attributes go with their file.
  [[nodiscard]] FsResult<void> sync() const noexcept;

 private:
  [[nodiscard]] FsResult<std::vector<Mark>> load(std::uint64_t ino) const noexcept;
  [[nodiscard]] FsResult<void> store(std::uint64_t ino, const std::vector<Mark>& marks,
                                     bool first) const noexcept;
  [[nodiscard]] FsResult<void> store_link(const char* name, const std::string& text,
                                          bool first) const noexcept;
  [[nodiscard]] FsResult<void> store_file(const char* name, const std::string& text) const noexcept;

  sys::Fd store_;  // invalid: extended attributes
  sys::Durability durability_ = sys::Durability::kCached;
};

}  // namespace sbx::overlay
