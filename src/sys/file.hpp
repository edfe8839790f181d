#pragma once

// Files by descriptor and name: the descriptor comes first wherever the path is relative to it.
// Paths that come from an image or from the sandbox go through open_beneath/open_in_root only.

#include <fcntl.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// openat(2) with O_CLOEXEC. `dir` may be AT_FDCWD. Retries EINTR, as everything here.
Result<Fd> open_at(int dir, const std::string& path, int flags, mode_t mode = 0);

/// openat2(2): the path stays below `dir`; no symlink of any kind is followed, no mount point crossed
/// into a magic link. EXDEV or ELOOP for what would lead out. Since Linux 5.6.
Result<Fd> open_beneath(int dir, const std::string& path, int flags, mode_t mode = 0);

/// openat2(2) with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS: symlinks and ".." resolve as if `root` were "/".
Result<Fd> open_in_root(int root, const std::string& path, int flags, mode_t mode = 0);

Result<struct stat> stat_fd(int fd, std::string_view name);
/// fstatat(2) without following a last symlink.
Result<struct stat> stat_at(int dir, const std::string& path);
[[nodiscard]] bool exists_at(int dir, const std::string& path);

Result<void> make_dir_at(int dir, const std::string& path, mode_t mode);
/// mkdir -p: parents too; an existing directory is fine. `path` must be absolute.
Result<void> make_dirs(const std::string& path, mode_t mode);
Result<void> unlink_at(int dir, const std::string& path, int flags = 0);
Result<void> rename_at(int old_dir, const std::string& from, int new_dir, const std::string& to,
                       unsigned flags = 0);
Result<void> symlink_at(const std::string& target, int dir, const std::string& path);
Result<std::string> read_link_at(int dir, const std::string& path);

/// Names in a directory, without "." and "..", unsorted.
Result<std::vector<std::string>> list_dir(int dir, const std::string& path);
/// rm -rf that never follows a symlink and never leaves the directory; makes directories writable on the
/// way. Absent is fine.
Result<void> remove_tree_at(int dir, const std::string& path);

/// One read(2): what there is, at least one byte; 0 at the end. For pipes and terminals, whose other side waits for an answer.
Result<std::size_t> read_available(int fd, std::span<std::byte> data, std::string_view name);
/// Up to data.size() bytes; less only at the end of the file.
Result<std::size_t> read_some(int fd, std::span<std::byte> data, std::string_view name);
Result<std::size_t> pread_full(int fd, std::span<std::byte> data, std::uint64_t offset,
                               std::string_view name);
Result<void> write_full(int fd, std::span<const std::byte> data, std::string_view name);
Result<void> write_full(int fd, std::string_view data, std::string_view name);
/// pwrite(2), all of it.
Result<void> pwrite_full(int fd, std::string_view data, std::uint64_t offset,
                         std::string_view name);

/// The whole file; kLimit if it is larger than `max`. Regular files only, O_NONBLOCK so that a fifo cannot hang us.
Result<std::string> read_file_at(int dir, const std::string& path, std::size_t max);
/// As read_file_at, for files of proc and sysfs, which are 0 bytes long by stat(2).
Result<std::string> read_fd(int fd, std::size_t max, std::string_view name);

enum class Durability {
  kCached,  // readers see all or nothing; a power cut may lose it
  kSynced   // and it survives a power cut: fsync of file and directory
};
/// Writes aside, then renames over `path`: readers see the old bytes or the new ones.
Result<void> write_file_at(int dir, const std::string& path, std::string_view data, mode_t mode,
                           Durability durability);
Result<void> sync_fd(int fd, std::string_view name);

/// Absolute, without symlinks: realpath(3).
Result<std::string> real_path(const std::string& path);

}  // namespace sbx::sys
