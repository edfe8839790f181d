#pragma once

#include "base/json.hpp"
#include "sandbox/plan.hpp"

namespace sbx::sandbox {

/// The plan as `sbx run --dry-run` prints it.
Json describe(const Plan& plan);

}  // namespace sbx::sandbox
