#pragma once

// What /proc tells of processes, ours and others'; proc(5).

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::sys {

/// /proc/PID/stat. Times are clock ticks, see ticks_per_second().
struct ProcessStat {
  pid_t pid = 0;
  std::string name;  // at most 15 bytes, whatever the process likes
  char state = '?';  // R, S, D, T (stopped), t (traced), Z (zombie), X, I
  pid_t parent = 0;
  pid_t group = 0;
  int terminal = 0;               // device number as there; 0: none
  std::uint64_t user_time = 0;    // without that of children
  std::uint64_t system_time = 0;  // the same
  std::uint64_t waited_time = 0;  // of children that were waited for, user and system
  int nice = 0;
  std::uint64_t threads = 0;
  std::uint64_t start = 0;  // since boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_bytes = 0;

  [[nodiscard]] std::uint64_t cpu_time() const { return user_time + system_time; }
  [[nodiscard]] bool stopped() const { return state == 'T' || state == 't'; }
  [[nodiscard]] bool ended() const { return state == 'Z' || state == 'X'; }
};

/// Of /proc/PID/status.
struct ProcessStatus {
  uid_t real_uid = 0;
  uid_t uid = 0;  // effective
  gid_t real_gid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::vector<pid_t> pids;  // its numbers, ours first, that of its innermost pid namespace last
  int seccomp = 0;          // 0 none, 1 strict, 2 filter
};

/// kCorrupt if it is something else. Pure.
Result<ProcessStat> parse_process_stat(std::string_view text, std::uint64_t page_size);
Result<ProcessStatus> parse_process_status(std::string_view text);

/// kNotFound if there is no such process.
Result<ProcessStat> read_process_stat(pid_t pid);
Result<ProcessStatus> read_process_status(pid_t pid);
/// Its arguments, parted by blanks; its name in brackets if it has none. Whatever bytes the process likes, at most 4 KiB.
std::string command_line_of(const ProcessStat& process);
/// "pts/0", "tty1" or "?".
std::string terminal_name(int device);

/// All that there are, in the order of their numbers; those that end meanwhile are left out.
Result<std::vector<ProcessStat>> all_processes();

/// The pid namespace of a process, as the kernel names it: "pid:[4026531836]"; empty if we may not know.
std::string pid_namespace_of(pid_t pid);

std::uint64_t ticks_per_second();
/// Seconds since boot; proc(5) counts starting times from there.
double seconds_since_boot();

}  // namespace sbx::sys
