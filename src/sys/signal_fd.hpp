#pragma once

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// All signals that may be handled, blocked and read from a descriptor instead: signalfd(2). The signals that stop a
/// process from the terminal (SIGTSTP, SIGTTIN, SIGTTOU) and those that tell of a bug (SIGSEGV...) keep their way.
class SignalFd {
 public:
  static Result<SignalFd> make();
  ~SignalFd();
  SignalFd(SignalFd&&) noexcept = default;
  SignalFd& operator=(SignalFd&&) = delete;
  SignalFd(const SignalFd&) = delete;
  SignalFd& operator=(const SignalFd&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The number of the next signal, 0 if there is none now.
  [[nodiscard]] int next() const;

 private:
  explicit SignalFd(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// For a role forked from a process that has a SignalFd: dispositions and mask back to the default, but for
/// the terminal's signals (they are the supervisor's to forward), which are ignored.
void reset_signals_for_role();

}  // namespace sbx::sys
