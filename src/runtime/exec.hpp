#pragma once

#include <sbx/container.hpp>

#include "base/result.hpp"

namespace sbx::runtime {

/// `sbx exec`: a command in a container that runs; the command's exit code (0 at once with `detach`). kBusy if the container does not
/// run. With `detach`, closes descriptors as run_detached().
Result<int> exec(const ExecOptions& options);

}  // namespace sbx::runtime
