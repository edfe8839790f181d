#pragma once

#include <sbx/run.hpp>

#include "cli/command_line.hpp"

namespace sbx::cli {

/// What `run` and `shell` have in common.
struct SandboxOptions {
  RunOptions run;
  std::optional<std::string> user_namespace;
  std::vector<std::string> storage;
  std::vector<std::string> security;
  bool dry_run = false;
};

/// Describes the common options on `line`.
void add_sandbox_options(CommandLine& line, SandboxOptions& options);

/// Plans or runs; the exit code of the program.
int execute(SandboxOptions& options);

}  // namespace sbx::cli
