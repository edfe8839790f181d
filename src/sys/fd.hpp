#pragma once

#include <utility>

#include "base/result.hpp"

namespace sbx::sys {

/// An owned file descriptor: move-only, closed at the end of its life, close-on-exec from birth by
/// whoever made it. Never duplicated behind its owner's back.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset(other.release());
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  /// Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  /// Closes what is held and holds `fd` instead. Keeps errno.
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// O_NONBLOCK of the open file description.
Result<void> set_nonblocking(int fd);

/// Opens /dev/null for each of descriptors 0, 1 and 2 that is closed: a file that we open would take its place, and be
/// written to or handed to the sandbox as a standard stream.
void fill_standard_streams();

}  // namespace sbx::sys
