#pragma once

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// Tells that files of a directory were written, made or renamed; inotify(7).
class DirectoryWatch {
 public:
  static Result<DirectoryWatch> make(const std::string& directory);

  /// Sleeps until something has changed since the last call, `other` (-1: nothing) is readable, or `ms` milliseconds have passed (-1:
  /// for ever). True if `other` is readable.
  [[nodiscard]] bool wait(int other, int ms = -1) const;

 private:
  explicit DirectoryWatch(Fd inotify) : inotify_(std::move(inotify)) {}
  Fd inotify_;
};

}  // namespace sbx::sys
