#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sbx::transfer {

/// Before the first foreign byte is read: from here on the process can write below the store and read below the
/// source, and nothing else; it starts no program, makes no connection, and has few system calls (call_filter.hpp). Without
/// Landlock (before Linux 5.13, or switched off) or seccomp the rest holds, with a warning in the debug log.
/// Must hold: one thread; everything outside that is needed is open; libraries are initialised.
Result<void> confine(int store_dir, int source);

/// As above, for any number of directories and files. A file that is open already needs none of this.
Result<void> confine(std::span<const int> write, std::span<const int> read);

/// The same for a process that talks to registries: what name resolution and TLS read (`files`, paths that may be
/// absent) may be read, and TCP is not touched.
Result<void> confine_with_network(std::span<const int> write,
                                  const std::vector<std::string>& files);

}  // namespace sbx::transfer
