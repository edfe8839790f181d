#include "sys/at.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sbx::sys::at {

namespace {

/// Runs a call that returns -1 and sets errno, again after EINTR.
template <class Call>
auto retry(Call call) noexcept {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

template <class Call>
FsResult<void> done(Call call) noexcept {
  if (retry(call) < 0) {
    return fail(Errno::last());
  }
  return {};
}

template <class Call>
FsResult<std::size_t> count(Call call) noexcept {
  const auto result = retry(call);
  if (result < 0) {
    return fail(Errno::last());
  }
  return static_cast<std::size_t>(result);
}

template <class Call>
FsResult<Fd> opened(Call call) noexcept {
  const auto fd = retry(call);
  if (fd < 0) {
    return fail(Errno::last());
  }
  return Fd(static_cast<int>(fd));
}

off_t to_off(std::uint64_t value) noexcept { return static_cast<off_t>(value); }

}  // namespace

FsResult<Fd> open(int dir, const char* path, int flags, mode_t mode) noexcept {
  return opened([&] { return ::openat(dir, path, flags | O_CLOEXEC, mode); });
}

FsResult<Fd> open_beneath(int dir, const char* path, int flags) noexcept {
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags) | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return opened([&] { return ::syscall(SYS_openat2, dir, path, &how, sizeof(how)); });
}

FsResult<struct stat> stat(int dir, const char* path) noexcept {
  struct stat st {};
  if (retry([&] { return ::fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT); }) < 0) {
    return fail(Errno::last());
  }
  return st;
}

FsResult<struct stat> stat(int fd) noexcept {
  struct stat st {};
  // AT_EMPTY_PATH and not fstat: O_PATH descriptors of symlinks too (fstat on O_PATH: since Linux 3.6).
  if (retry([&] { return ::fstatat(fd, "", &st, AT_EMPTY_PATH); }) < 0) {
    return fail(Errno::last());
  }
  return st;
}

FsResult<struct statvfs> stat_fs(int fd) noexcept {
  struct statvfs st {};
  if (retry([&] { return ::fstatvfs(fd, &st); }) < 0) {
    return fail(Errno::last());
  }
  return st;
}

FsResult<void> make_dir(int dir, const char* path, mode_t mode) noexcept {
  return done([&] { return ::mkdirat(dir, path, mode); });
}

FsResult<void> make_node(int dir, const char* path, mode_t mode, dev_t device) noexcept {
  return done([&] { return ::mknodat(dir, path, mode, device); });
}

FsResult<void> symlink(const char* target, int dir, const char* path) noexcept {
  return done([&] { return ::symlinkat(target, dir, path); });
}

FsResult<void> link(int from_dir, const char* from, int to_dir, const char* to) noexcept {
  return done([&] { return ::linkat(from_dir, from, to_dir, to, 0); });
}

FsResult<void> unlink(int dir, const char* path, int flags) noexcept {
  return done([&] { return ::unlinkat(dir, path, flags); });
}

FsResult<void> rename(int from_dir, const char* from, int to_dir, const char* to,
                      unsigned flags) noexcept {
  return done([&] { return ::renameat2(from_dir, from, to_dir, to, flags); });
}

FsResult<void> change_owner(int dir, const char* path, uid_t uid, gid_t gid) noexcept {
  return done([&] { return ::fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW); });
}

FsResult<void> change_owner(int fd, uid_t uid, gid_t gid) noexcept {
  return done([&] { return ::fchown(fd, uid, gid); });
}

FsResult<void> change_mode(int dir, const char* path, mode_t mode) noexcept {
  return done([&] { return ::fchmodat(dir, path, mode, 0); });
}

FsResult<void> change_mode(int fd, mode_t mode) noexcept {
  return done([&] { return ::fchmod(fd, mode); });
}

FsResult<std::size_t> read_link(int dir, const char* path, std::span<char> buffer) noexcept {
  return count([&] { return ::readlinkat(dir, path, buffer.data(), buffer.size()); });
}

FsResult<void> set_times(int dir, const char* path, const struct timespec (&times)[2]) noexcept {
  return done([&] { return ::utimensat(dir, path, times, AT_SYMLINK_NOFOLLOW); });
}

FsResult<void> set_times(int fd, const struct timespec (&times)[2]) noexcept {
  return done([&] { return ::futimens(fd, times); });
}

FsResult<std::size_t> pread_full(int fd, std::span<std::byte> data, std::uint64_t offset) noexcept {
  std::size_t total = 0;
  while (total < data.size()) {
    const auto got = retry([&] {
      return ::pread(fd, data.data() + total, data.size() - total, to_off(offset + total));
    });
    if (got < 0) {
      return fail(Errno::last());
    }
    if (got == 0) {
      break;
    }
    total += static_cast<std::size_t>(got);
  }
  return total;
}

FsResult<void> pwrite_full(int fd, std::span<const std::byte> data, std::uint64_t offset) noexcept {
  while (!data.empty()) {
    const auto put = retry([&] { return ::pwrite(fd, data.data(), data.size(), to_off(offset)); });
    if (put < 0) {
      return fail(Errno::last());
    }
    data = data.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

FsResult<void> truncate(int fd, std::uint64_t size) noexcept {
  return done([&] { return ::ftruncate(fd, to_off(size)); });
}

FsResult<void> allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) noexcept {
  return done([&] { return ::fallocate(fd, mode, to_off(offset), to_off(length)); });
}

FsResult<std::uint64_t> seek(int fd, std::uint64_t offset, int whence) noexcept {
  const auto result = retry([&] { return ::lseek(fd, to_off(offset), whence); });
  if (result < 0) {
    return fail(Errno::last());
  }
  return static_cast<std::uint64_t>(result);
}

FsResult<std::size_t> copy_range(int from, std::uint64_t from_offset, int to,
                                 std::uint64_t to_offset, std::size_t length) noexcept {
  off_t in = to_off(from_offset);
  off_t out = to_off(to_offset);
  return count([&] { return ::copy_file_range(from, &in, to, &out, length, 0); });
}

FsResult<void> sync(int fd, SyncKind kind) noexcept {
  return done([&] { return kind == SyncKind::kDataOnly ? ::fdatasync(fd) : ::fsync(fd); });
}

void drop_cache(int fd, std::uint64_t offset, std::uint64_t length) noexcept {
  (void)::posix_fadvise(fd, to_off(offset), to_off(length), POSIX_FADV_DONTNEED);
}

FsResult<std::size_t> get_xattr(int fd, const char* name, std::span<std::byte> value) noexcept {
  return count([&] { return ::fgetxattr(fd, name, value.data(), value.size()); });
}

FsResult<void> set_xattr(int fd, const char* name, std::span<const std::byte> value,
                         int flags) noexcept {
  return done([&] { return ::fsetxattr(fd, name, value.data(), value.size(), flags); });
}

FsResult<void> remove_xattr(int fd, const char* name) noexcept {
  return done([&] { return ::fremovexattr(fd, name); });
}

FsResult<std::size_t> list_xattr(int fd, std::span<char> names) noexcept {
  return count([&] { return ::flistxattr(fd, names.data(), names.size()); });
}

FsResult<std::size_t> read_dirents(int fd, std::span<std::byte> buffer) noexcept {
  return count([&] { return ::getdents64(fd, buffer.data(), buffer.size()); });
}

bool DirentReader::next(Dirent& entry) noexcept {
  constexpr std::size_t kHeader = offsetof(struct dirent64, d_name);
  if (data_.size() < kHeader) {
    return false;
  }
  // The kernel aligns each record to 8 bytes, as struct dirent64 wants it.
  const auto* record = reinterpret_cast<const struct dirent64*>(data_.data());
  entry = {record->d_name, record->d_ino, record->d_type};
  data_ = data_.subspan(record->d_reclen);
  return true;
}

}  // namespace sbx::sys::at
