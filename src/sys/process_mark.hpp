#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// Names a process for good, also in a file: pid numbers are used again, but not with the same starting time.
struct ProcessMark {
  pid_t pid = 0;            // 0: none
  std::uint64_t start = 0;  // clock ticks since boot; proc(5), /proc/PID/stat, field 22
};

/// Of a process that runs or is a zombie. kNotFound if there is none.
Result<ProcessMark> mark_process(pid_t pid);

/// A pidfd of the marked process. kNotFound if it has ended, whoever has its number now.
Result<Fd> open_process(const ProcessMark& mark);

}  // namespace sbx::sys
