#pragma once

#include <sbx/run.hpp>

#include "cli/command_line.hpp"
#include "cli/health_options.hpp"

namespace sbx::cli {

/// What `run` and `shell` have in common.
struct SandboxOptions {
  RunOptions run;
  std::optional<std::string> user_namespace;
  std::optional<std::string> shm_size;
  std::optional<bool> read_only_tmpfs;
  std::vector<std::string> storage;
  std::vector<std::string> security;
  std::optional<std::string> log_driver;
  std::vector<std::string> log_options;
  std::optional<std::string> stop_timeout;
  std::optional<std::string> restart;
  HealthOptions health;
  std::optional<std::string> id_file;  // --cidfile
  bool dry_run = false;
};

/// Describes the common options on `line`.
void add_sandbox_options(CommandLine& line, SandboxOptions& options);

/// Describes those of `run` and `create`, which make containers that others can find.
void add_container_options(CommandLine& line, SandboxOptions& options);

/// Plans or runs; the exit code of the program.
int execute(SandboxOptions& options);

/// Makes a container, by `make`, and prints its id; the exit code of the program.
int execute_and_print_id(SandboxOptions& options,
                         const std::function<Outcome<std::string>(const RunOptions&)>& make);

}  // namespace sbx::cli
