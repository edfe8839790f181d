#pragma once

// The runtime configuration of the OCI runtime specification 1.2 (config.md, config-linux.md), as far as sbx
// uses it. Written as a container's config.json.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace sbx::oci {

struct SpecMount {
  std::string destination;
  std::string type;    // "bind", "tmpfs", "proc", "sysfs", "devpts", "mqueue"
  std::string source;  // bind: a path of the host
  std::vector<std::string> options;
};

struct SpecIdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

struct SpecUser {
  uid_t uid = 0;
  gid_t gid = 0;
  /// nullopt: those of the invoker are kept.
  std::optional<std::vector<gid_t>> additional_gids;
};

struct SpecProcess {
  bool terminal = false;
  SpecUser user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
  std::vector<std::string> capabilities;  // one set: bounding = permitted = effective
  bool no_new_privileges = true;
};

struct SpecDevice {
  std::string path;    // inside
  std::string source;  // on the host: bound, as a user namespace may not make devices
};

struct RuntimeSpec {
  std::string hostname;
  bool read_only_root = false;
  SpecProcess process;
  std::vector<SpecMount> mounts;
  std::vector<SpecDevice> devices;
  std::vector<SpecIdMapping> uid_mappings;
  std::vector<SpecIdMapping> gid_mappings;
  std::vector<std::string> namespaces;  // "pid", "network", "ipc", "uts", "mount", "user", "cgroup"
  std::vector<std::string> masked_paths;
  std::vector<std::string> read_only_paths;
  std::vector<std::pair<std::string, std::string>> annotations;
};

/// As config.json.
Json to_json(const RuntimeSpec& spec);

/// What to_json() wrote. kCorrupt for members of the wrong type or range. Members that sbx does not use are passed over, and
/// so are capability sets but the bounding one.
Result<RuntimeSpec> runtime_spec_from_json(const Json& object);

}  // namespace sbx::oci
