#pragma once

#include <sbx/container.hpp>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// A pidfd of the command of a container that runs, whose namespaces can be joined now; waits for one that is just beginning. kBusy if
/// it does not run.
Result<sys::Fd> open_command_of(const std::string& data_root, const std::string& id);

/// `sbx exec`: a command in a container that runs; the command's exit code (0 at once with `detach`). kBusy if the container does not
/// run. With `detach`, closes descriptors as run_detached().
Result<int> exec(const ExecOptions& options);

}  // namespace sbx::runtime
