#pragma once

// Stopping all processes of a container at once, and letting them go on: SIGSTOP and SIGCONT, which ordinary users may send without a
// cgroup of the container's own. That it is paused is a file in its directory with the mark of its first process, so that it means
// nothing any more once that has ended.

#include <string>

#include "base/result.hpp"
#include "runtime/containers.hpp"

namespace sbx::runtime {

/// Whether the file says so of the process that `state` names.
[[nodiscard]] bool has_pause_mark(int containers, const ContainerState& state);

/// Comes back when all its processes have stopped. kBusy if it does not run, or is paused. The caller must have one thread.
Result<void> pause_container(const std::string& data_root, const Container& container);

/// kBusy if it does not run, or is not paused. The caller must have one thread.
Result<void> unpause_container(const std::string& data_root, const Container& container);

}  // namespace sbx::runtime
