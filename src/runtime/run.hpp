#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "runtime/run_request.hpp"

namespace sbx::runtime {

/// `sbx run`: from the request to the command's exit code.
Result<int> run(const RunRequest& request);

/// `sbx run --dry-run`: the OCI runtime configuration and the plan. Loads the image if need be, makes nothing else.
Result<Json> plan_only(const RunRequest& request);

/// Fills in what makes a sandbox a developer's shell.
Result<RunRequest> with_shell_defaults(RunRequest request);

}  // namespace sbx::runtime
