#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "oci/platform.hpp"

namespace sbx::oci {

/// One step of how an image was made; for showing only.
struct HistoryEntry {
  std::string created;
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
};

/// docker's HEALTHCHECK, which OCI images have too. Times in milliseconds; 0: docker's default.
struct Healthcheck {
  std::vector<std::string> test;  // {}: none; {"NONE"}; {"CMD", WORD...}; {"CMD-SHELL", TEXT}
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t start_period = 0;
  std::int64_t start_interval = 0;
  std::int64_t retries = 0;
};

/// An image's configuration (image-spec config.md; docker's is the same where it matters). Members that
/// sbx does not know are left out. Strings that become arguments, environment or paths have no NUL byte.
struct ImageConfig {
  Platform platform;
  std::string created;  // RFC 3339, as it stands
  std::string author;

  std::string user;              // "", "name", "uid", "user:group"
  std::vector<std::string> env;  // "NAME=value"
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string working_dir;
  std::string stop_signal;  // "", "SIGTERM", "15"
  Healthcheck healthcheck;
  std::set<std::string> volumes;
  std::set<std::string> exposed_ports;        // "80/tcp"
  std::map<std::string, std::string> labels;  // data, never options

  std::vector<DiffId> diff_ids;  // lowest first, at least one
  std::vector<HistoryEntry> history;

  /// kCorrupt, kLimit.
  static Result<ImageConfig> parse(std::string_view text, std::string_view name);
};

}  // namespace sbx::oci
