#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// flock(2) on a file; released by the kernel when the last copy of the descriptor closes, so also by kill -9.
class FileLock {
 public:
  enum class Kind { kShared, kExclusive };

  /// Makes the file if need be and waits for the lock.
  static Result<FileLock> acquire(int dir, const std::string& path, Kind kind);
  /// nullopt if somebody else holds it.
  static Result<std::optional<FileLock>> try_acquire(int dir, const std::string& path, Kind kind);

  /// As try_acquire, but makes no file: kNotFound if there is none.
  static Result<std::optional<FileLock>> try_existing(int dir, const std::string& path, Kind kind);

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  static Result<std::optional<FileLock>> try_lock(Fd fd, const std::string& path, Kind kind);
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace sbx::sys
