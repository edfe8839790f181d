#pragma once

// File system calls that report a bare errno: no allocation, no formatting. For the FUSE path, where a
// failure becomes an errno for somebody else's program and never a sentence for the user.
// Every call retries EINTR; every descriptor is close-on-exec from birth. See the man page of each call.

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys::at {

/// openat(2) with O_CLOEXEC.
FsResult<Fd> open(int dir, const char* path, int flags, mode_t mode = 0) noexcept;
/// openat2(2), RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; since Linux 5.6.
FsResult<Fd> open_beneath(int dir, const char* path, int flags) noexcept;

/// fstatat(2), never following a last symlink, never starting an automount.
FsResult<struct stat> stat(int dir, const char* path) noexcept;
FsResult<struct stat> stat(int fd) noexcept;
FsResult<struct statvfs> stat_fs(int fd) noexcept;

FsResult<void> make_dir(int dir, const char* path, mode_t mode) noexcept;
FsResult<void> make_node(int dir, const char* path, mode_t mode, dev_t device) noexcept;
FsResult<void> symlink(const char* target, int dir, const char* path) noexcept;
/// linkat(2) without AT_SYMLINK_FOLLOW: a link to a symlink is a second name of the symlink.
FsResult<void> link(int from_dir, const char* from, int to_dir, const char* to) noexcept;
FsResult<void> unlink(int dir, const char* path, int flags = 0) noexcept;
FsResult<void> rename(int from_dir, const char* from, int to_dir, const char* to,
                      unsigned flags = 0) noexcept;
/// fchownat(2) of the name itself, not of what a symlink points to.
FsResult<void> change_owner(int dir, const char* path, uid_t uid, gid_t gid) noexcept;
FsResult<void> change_owner(int fd, uid_t uid, gid_t gid) noexcept;
/// fchmodat(2), which follows symlinks: the caller knows that there is none.
FsResult<void> change_mode(int dir, const char* path, mode_t mode) noexcept;
FsResult<void> change_mode(int fd, mode_t mode) noexcept;
/// Bytes of the target put into `buffer`; a target as long as the buffer may be cut.
FsResult<std::size_t> read_link(int dir, const char* path, std::span<char> buffer) noexcept;

/// utimensat(2) on the name itself, not on what a symlink points to.
FsResult<void> set_times(int dir, const char* path, const struct timespec (&times)[2]) noexcept;
FsResult<void> set_times(int fd, const struct timespec (&times)[2]) noexcept;

/// Reads until the span is full or the file ends.
FsResult<std::size_t> pread_full(int fd, std::span<std::byte> data, std::uint64_t offset) noexcept;
/// Writes all of it or fails.
FsResult<void> pwrite_full(int fd, std::span<const std::byte> data, std::uint64_t offset) noexcept;
FsResult<void> truncate(int fd, std::uint64_t size) noexcept;
FsResult<void> allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) noexcept;
FsResult<std::uint64_t> seek(int fd, std::uint64_t offset, int whence) noexcept;
/// copy_file_range(2); may copy less than asked, 0 at the end of `from`.
FsResult<std::size_t> copy_range(int from, std::uint64_t from_offset, int to,
                                 std::uint64_t to_offset, std::size_t length) noexcept;
enum class SyncKind { kAll, kDataOnly };
FsResult<void> sync(int fd, SyncKind kind) noexcept;
/// posix_fadvise(POSIX_FADV_DONTNEED): advice only, so a failure does not matter.
void drop_cache(int fd, std::uint64_t offset, std::uint64_t length) noexcept;

/// An empty span asks for the size. ENODATA if there is none, ERANGE if the span is too small.
FsResult<std::size_t> get_xattr(int fd, const char* name, std::span<std::byte> value) noexcept;
FsResult<void> set_xattr(int fd, const char* name, std::span<const std::byte> value,
                         int flags = 0) noexcept;
FsResult<void> remove_xattr(int fd, const char* name) noexcept;
/// Names, each with its NUL. An empty span asks for the size.
FsResult<std::size_t> list_xattr(int fd, std::span<char> names) noexcept;

/// What getdents64(2) put into `buffer`, read by DirentReader; 0 at the end of the directory.
FsResult<std::size_t> read_dirents(int fd, std::span<std::byte> buffer) noexcept;

/// One pass over what read_dirents returned.
class DirentReader {
 public:
  struct Dirent {
    const char* name;
    std::uint64_t ino;
    unsigned char type;  // DT_*
  };
  explicit DirentReader(std::span<const std::byte> data) : data_(data) {}
  /// False at the end. Names point into the buffer.
  bool next(Dirent& entry) noexcept;

 private:
  std::span<const std::byte> data_;
};

}  // namespace sbx::sys::at
