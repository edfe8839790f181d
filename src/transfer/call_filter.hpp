#pragma once

#include "base/result.hpp"

namespace sbx::transfer {

enum class Talks { kToNobody, kToRegistries };

/// From here on this process has the system calls that reading, writing and (kToRegistries) talking to a server take; starting
/// programs, tracing, mounting and what else only an attacker would want kills it, and the rest fails as on a kernel without it (ENOSYS), so
/// that a library that tries something new does without. Threads may be made, processes not. Must hold: one thread, no_new_privs.
/// EINVAL, ENOSYS: the kernel has no filters.
FsResult<void> filter_calls(Talks talks);

}  // namespace sbx::transfer
