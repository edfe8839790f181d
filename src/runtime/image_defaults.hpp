#pragma once

#include <map>
#include <string>
#include <vector>

#include <sbx/run.hpp>

namespace sbx::runtime {

/// What an image says about how it wants to be run: the "config" of an OCI image configuration.
struct ImageDefaults {
  std::vector<std::string> entry_point;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string working_directory;
  std::string user;
  std::string stop_signal;
  HealthCheck health;
  std::vector<std::string> volumes;  // directories inside
  std::map<std::string, std::string> labels;
};

}  // namespace sbx::runtime
