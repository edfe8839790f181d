#pragma once

#include <sbx/run.hpp>

namespace sbx::runtime {

/// The public options are the request: one description, not two that drift apart.
using RunRequest = sbx::RunOptions;

}  // namespace sbx::runtime
