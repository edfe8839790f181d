#include "sys/lock.hpp"

#include <sys/file.h>

#include <cerrno>

#include "sys/file.hpp"

namespace sbx::sys {
namespace {

Result<Fd> open_lock_file(int dir, const std::string& path) {
  return open_at(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

int operation(FileLock::Kind kind) { return kind == FileLock::Kind::kShared ? LOCK_SH : LOCK_EX; }

}  // namespace

Result<FileLock> FileLock::acquire(int dir, const std::string& path, Kind kind) {
  Fd fd = SBX_TRY(open_lock_file(dir, path));
  while (::flock(fd.get(), operation(kind)) != 0) {
    if (errno != EINTR) {
      return fail(Error::system("lock", path));
    }
  }
  return FileLock(std::move(fd));
}

Result<std::optional<FileLock>> FileLock::try_acquire(int dir, const std::string& path, Kind kind) {
  return try_lock(SBX_TRY(open_lock_file(dir, path)), path, kind);
}

Result<std::optional<FileLock>> FileLock::try_existing(int dir, const std::string& path,
                                                       Kind kind) {
  return try_lock(SBX_TRY(open_at(dir, path, O_RDWR | O_NOFOLLOW)), path, kind);
}

Result<std::optional<FileLock>> FileLock::try_lock(Fd fd, const std::string& path, Kind kind) {
  if (::flock(fd.get(), operation(kind) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::optional<FileLock>{};
    }
    return fail(Error::system("lock", path));
  }
  return std::optional<FileLock>(FileLock(std::move(fd)));
}

}  // namespace sbx::sys
