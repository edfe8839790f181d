#pragma once

#include <cstddef>

namespace sbx::sys {

/// The memory from which the kernel tells our command line (/proc/PID/cmdline, what ps shows). A process forked from
/// the supervisor without execve shows the supervisor's words, secrets of --env among them, until it writes others.
class ProcessTitle {
 public:
  ProcessTitle() = default;
  /// By /proc/self/stat; see proc(5), arg_start and arg_end, since Linux 3.5. Empty if it cannot be found.
  static ProcessTitle find();

  /// Writes `title`, cut to the room there is, and clears the rest. Allocates nothing.
  void overwrite(const char* title) const noexcept;

 private:
  char* begin_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sbx::sys
