#pragma once

#include <functional>

#include "base/result.hpp"

namespace sbx::runtime {

/// Tells the process that waits in detach(), once: all is well, or what is not.
using DetachedReady = std::function<void(const Result<void>&)>;

/// Does `work` in a new process: in a session of its own, its standard streams /dev/null, its directory "/", so that it keeps
/// no terminal, pipe or file system busy. Comes back with what the process says by its DetachedReady; a process that ends
/// without a word is an error. The new process ends with `work`. The caller must have one thread.
Result<void> detach(const std::function<void(const DetachedReady&)>& work);

}  // namespace sbx::runtime
