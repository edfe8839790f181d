#pragma once

// Doing something as another set of ids, and coming back: in a process that joins a user namespace.

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"
#include "sys/idmap.hpp"
#include "sys/ns.hpp"

namespace sbx::sys {

/// The user namespace of a process, which lives as long as the descriptor. The process must still be dumpable; proc(5).
Result<Fd> user_namespace_of(pid_t pid);

/// A new one with these maps. The caller must have one thread.
Result<Fd> make_user_namespace(const IdMaps& maps, MapWriter writer, bool deny_setgroups);

/// Runs `action` in a process of its own that has joined `user_namespace`, with all capabilities in it; waits for its end, an hour
/// at most. The user of the namespace is who calls, or EPERM. The caller must have one thread. An error comes back as text.
Result<void> run_in_user_namespace(int user_namespace, const std::function<Result<void>()>& action);

/// The same for an action that has something to tell, 4,000 bytes at most.
Result<std::string> ask_in_user_namespace(int user_namespace,
                                          const std::function<Result<std::string>()>& action);

/// clone_into() from inside of `outer`, a user namespace of ours: the new process is our child, its user namespace a child of
/// `outer`, with the maps `inside` of ids of `outer`, which are written when this returns. The new process runs `body`, which must not
/// return, on a stack of 256 KiB; what is said of it at clone_into() holds. Needs no set-uid program. The caller must have one thread.
Result<Cloned> clone_inside(int outer, const Namespaces& namespaces, const IdMaps& inside,
                            const std::function<void()>& body);

/// A child of ours in the namespaces of a process (`joined`, those that are set; a pidfd), its user namespace among them, which must be
/// ours. The new process runs `body`, as in clone_inside(), with its root and directory at the root of the mount namespace. EPERM if
/// the process is not dumpable. Since Linux 5.8. The caller must have one thread.
Result<Cloned> clone_joined(int process, const Namespaces& joined,
                            const std::function<void()>& body);

/// Puts this process into the user and mount namespaces of another (a pidfd), as their root if they have one, with its root and
/// directory at the root of the mount namespace and all rights in the user namespace, which must be ours. EPERM as clone_joined(). The
/// caller must have one thread. Undoes PR_SET_PDEATHSIG.
Result<void> enter_tree_of(int process);

/// Puts this process into new user and mount namespaces. The caller must have one thread.
Result<void> enter_new_namespaces();

}  // namespace sbx::sys
