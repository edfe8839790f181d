#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// How a process ended.
struct ExitStatus {
  int code = 0;    // exit code, valid if signal == 0
  int signal = 0;  // the signal that killed it, or 0
  /// As a shell tells it: the code, or 128 + signal.
  [[nodiscard]] int shell_code() const { return signal != 0 ? 128 + signal : code; }
};

/// A child process that we own: killed and reaped at the end of its life unless waited for or released.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  ~Child();
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Starts a program of the host, found by absolute path. Its standard output goes to `out` and its standard error to
  /// `err` (-1: inherited); its standard input is `in` (-1: /dev/null).
  static Result<Child> spawn(const std::vector<std::string>& argv, int out = -1, int err = -1,
                             int in = -1);

  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// Waits for its end.
  Result<ExitStatus> wait();
  /// SIGKILL; does not wait.
  void kill() const;
  /// Lets it go on without us; init reaps it.
  void release();

 private:
  pid_t pid_ = 0;
  Fd pidfd_;
};

}  // namespace sbx::sys
