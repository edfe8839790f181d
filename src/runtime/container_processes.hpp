#pragma once

#include <vector>

#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "sys/process_stat.hpp"

namespace sbx::runtime {

/// The processes of a running container with the numbers that the host gives them, in their order: those below its first process, and
/// those that `exec` put beside it. `own_init`: its first process is ours, and left out.
Result<std::vector<sys::ProcessStat>> container_processes(const Container& container,
                                                          bool own_init);

}  // namespace sbx::runtime
