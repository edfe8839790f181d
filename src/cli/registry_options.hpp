#pragma once

#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/progress.hpp"

namespace sbx::cli {

/// --authfile and --tls-verify.
void add_registry_options(CommandLine& line, RegistryOptions& options);

/// --progress.
void add_progress_option(CommandLine& line, ProgressMode& mode);

}  // namespace sbx::cli
