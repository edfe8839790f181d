#pragma once

// Reaching into a container that runs, from outside: which process may be joined, and files as the container has them.

#include <string>

#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "sys/fd.hpp"
#include "sys/ns.hpp"

namespace sbx::runtime {

/// A pidfd of the container's command: PID 1, or the first child of an init of ours, whose memory is the supervisor's and which nobody
/// may join. Waits until these namespaces of it can be joined; five seconds at most. kBusy if the container ends.
Result<sys::Fd> open_command(const std::string& data_root, const Container& container,
                             bool own_init, const sys::Namespaces& joined);

/// The text of a regular file as the container has it now; empty if there is none. `joined` as for open_command().
Result<std::string> read_inside(int command, const sys::Namespaces& joined, const char* path);

}  // namespace sbx::runtime
