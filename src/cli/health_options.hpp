#pragma once

#include <optional>
#include <string>

#include <sbx/run.hpp>

#include "cli/command_line.hpp"

namespace sbx::cli {

/// docker's --health-* and --no-healthcheck, as they are typed.
struct HealthOptions {
  std::optional<std::string> command;
  std::optional<std::string> interval;
  std::optional<std::string> timeout;
  std::optional<std::string> start_period;
  std::optional<std::string> start_interval;
  std::optional<std::string> retries;
  bool none = false;
};

void add_health_options(CommandLine& line, HealthOptions& options);

/// The failure's message, or nothing.
std::string read_health(const HealthOptions& options, HealthCheck& check);

}  // namespace sbx::cli
