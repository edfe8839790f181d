#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// Which namespaces a new process gets of its own; the others it shares with us.
struct Namespaces {
  bool user = true;
  bool mount = true;
  bool pid = true;
  bool ipc = true;
  bool uts = true;
  bool cgroup = true;
  bool net = true;
};

/// As flags of clone(2) and setns(2).
[[nodiscard]] std::uint64_t clone_flags(const Namespaces& namespaces);

/// A process and a descriptor that names it for good (pid numbers are used again).
struct Cloned {
  pid_t pid = 0;  // 0: we are the new process
  Fd pidfd;
};

/// Whose child the new process is.
enum class Parentage {
  kChild,   // ours
  kSibling  // our parent's; not to be had for PID 1
};

/// clone3(2) without CLONE_VM: returns twice, like fork. The caller must have one thread. In the new process only
/// sys/raw.hpp may be used: the C library does not know that it was cloned. Since Linux 5.3.
Result<Cloned> clone_into(const Namespaces& namespaces, Parentage parentage = Parentage::kChild);

/// fork(2) for a role of ours: the child may use everything, threads too. The caller must have one thread.
Result<Cloned> fork_role();

/// Sends a signal to the process behind `pidfd`. A process that is gone is not an error.
Result<void> signal_process(int pidfd, int signal);
/// pidfd_open(2).
Result<Fd> open_process(pid_t pid);

/// The number of threads of this process, by /proc/self/status.
[[nodiscard]] bool single_threaded();

/// Closes every descriptor but the standard ones and those in `keep`. For roles that go on without execve.
Result<void> close_all_but(std::initializer_list<int> keep);

}  // namespace sbx::sys
