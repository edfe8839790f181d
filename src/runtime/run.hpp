#pragma once

#include <functional>
#include <string>

#include <sbx/container.hpp>

#include "base/json.hpp"
#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "runtime/run_request.hpp"

namespace sbx::runtime {

/// `sbx run`: from the request to the command's exit code.
Result<int> run(const RunRequest& request);

/// `sbx run --dry-run`: the OCI runtime configuration and the plan. Loads the image if need be, makes nothing else.
Result<Json> plan_only(const RunRequest& request);

/// What a failure ends the program with, as docker: 125, 126 or 127.
[[nodiscard]] int exit_code_of(const Error& error);

/// `sbx create`: a container that does not run yet. Its id.
Result<std::string> create(const RunRequest& request);

/// `sbx run --detach`. The container's id, once its command runs. Closes all descriptors but the standard streams.
Result<std::string> run_detached(const RunRequest& request);

/// `sbx start`: a container that was created or has ended, in the background. False: it runs already, and is left as it is. kBusy if
/// another process has it for long. Closes descriptors as run_detached().
Result<bool> start(const std::string& data_root, const std::string& id);

/// `sbx start --attach`: start(), and our standard streams are the container's from its first output to its end. Its exit code.
Result<int> start_attached(const std::string& data_root, const Container& container,
                           const AttachOptions& options);

/// Makes the sandbox of a container that does not run, without a network of its own, and has `body` run there in the place of the command: see
/// PreparedPlan::run_instead(). Comes back when it has ended; the container's state stays as it is, and its lock is held meanwhile.
/// False if it runs. kBusy as start().
Result<bool> visit(const std::string& data_root, const std::string& id,
                   const std::function<void()>& body);

/// Fills in what makes a sandbox a developer's shell.
Result<RunRequest> with_shell_defaults(RunRequest request);

}  // namespace sbx::runtime
