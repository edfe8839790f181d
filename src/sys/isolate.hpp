#pragma once

// How a helper process of ours (the network process, the FUSE server) gives up what it does not need.
//
// Theory of operation. A helper is forked from the supervisor and never calls execve; so it holds everything the
// supervisor holds: descriptors, memory, the whole file tree, the user's rights. It walks through these stages, in
// this order, before it reads the first byte that the sandbox controls. Each stage says what must hold before it and
// what it must not take away yet. A helper may leave a stage out, but not change the order.
//
//   1. forget_descriptors   must hold: the caller has named everything it needs later.
//                           must not yet: touch paths or ids; the next stages open files.
//   2. leave_root           must hold: one thread. must not yet: lose the right to make namespaces (any user has it).
//                           Only for a supervisor started by root: real, effective and saved ids become unprivileged.
//      limit_resources      must hold: /proc is there. must not yet: nothing; later stages need few descriptors and little memory.
//   3. enter_empty_root     must hold: one thread, /proc is mounted, what is to be shown has been resolved to a path
//                           without symlinks. must not yet: drop capabilities; mounting needs those of the new user namespace.
//                           Own user and mount namespace; the root is an empty, read-only tmpfs plus the views asked for.
//                           Network and pid namespace stay the host's.
//   3b. Landlock            instead of 3, for helpers that work below directories they already hold: sys/landlock.hpp.
//                           must hold: no_new_privs (stage 4).
//   4. drop_privileges      must hold: nothing is left to be mounted or mapped. must not yet: forbid prctl and capset.
//                           No capabilities in any set, no_new_privs, not dumpable, dies with its parent.
//   5. SeccompFilter        must hold: no_new_privs; every library is initialised. From here on a system call that is not on the list
//                           kills the process.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// Stage 1. Closes every descriptor but 0, 1, 2 and `keep`, and turns standard input and output into /dev/null. A
/// helper that kept the user's pipe would keep its reader waiting. Returns a descriptor of /dev/null, for
/// forget_stderr.
Result<Fd> forget_descriptors(std::span<const int> keep);
/// The same for standard error: before stage 5, when there is nothing left to warn of.
Result<void> forget_stderr(Fd null);

/// Stage 2. If we are root: supplementary groups dropped, uid and gid set to `id` for good. Else nothing. kDenied
/// where root may not (a user namespace in which `id` is not mapped).
Result<void> leave_root(std::uint32_t id);

/// Limits of a helper; see setrlimit(2). A limit that is lower already stays.
struct HelperLimits {
  std::uint64_t descriptors = 64;
  std::uint64_t more_memory =
      0;  // bytes of address space on top of what is mapped now; 0: no limit
};
/// Also: no core dumps, and no processes (of the user this counts all; it keeps us from making one).
void limit_resources(const HelperLimits& limits);

/// What of the host's file tree stays visible in the empty root, read-only.
struct RootView {
  std::string source;  // a file or directory of the host; absolute, without symlinks
  std::string target;  // its name in the new root: one level, e.g. "resolv"
};
/// A symlink in the empty root, for programs that want a certain path.
struct RootLink {
  std::string path;    // at most two levels, e.g. "etc/resolv.conf"
  std::string target;  // relative to the link
};
struct RootPlan {
  std::vector<RootView> views;
  std::vector<RootLink> links;
};

/// Stage 3. On failure the process may be in a new user namespace already, but its root is still the host's; the
/// caller decides whether that is fatal.
Result<void> enter_empty_root(const RootPlan& plan);

/// Stage 3c, instead of 3: for who has a user and a mount namespace of its own and serves the detached mount `tree`, of which others
/// are to get copies. The root becomes an empty, read-only tmpfs with that mount at /image; `tree` refers to it, attached.
/// Must hold, must not yet: as for 3.
Result<void> enter_root_with(int tree);

/// Stage 4. `parent`: the process whose end kills us (SIGKILL); 0: none. kDenied if it has ended already.
Result<void> drop_privileges(pid_t parent);

/// Whether we are in the machine's first user namespace, where nothing has been taken from us yet. Says how loud a missing stage is
/// reported: as a warning here, as a debug line in a sandbox.
[[nodiscard]] bool in_initial_user_namespace();

}  // namespace sbx::sys
