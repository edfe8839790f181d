#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/run_request.hpp"

namespace sbx::runtime {

struct EnvironmentInput {
  const RunRequest& request;
  const std::vector<std::string>& image;  // NAME=VALUE
  std::string home;
  std::string hostname;
  bool terminal = false;
};

/// The environment of the command, as docker puts it together: PATH, HOSTNAME, TERM (with a terminal), the image's,
/// --env-file, --env, and HOME if nobody set it. A later NAME replaces an earlier one. NAME without "=" takes
/// ours, and is left out if we have none.
Result<std::vector<std::string>> build_environment(const EnvironmentInput& input);

/// Lines of an --env-file: NAME=VALUE or NAME; empty lines and those that begin with # are passed over.
Result<std::vector<std::string>> parse_environment_file(std::string_view text,
                                                        std::string_view name);

}  // namespace sbx::runtime
