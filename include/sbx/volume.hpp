#pragma once

// Volumes: directories that containers mount and that outlive them. A volume is named by its name, or by the beginning of its name that no
// other has. Roots are as in RunOptions::root.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx {

struct Volume {
  std::string name;
  std::string created;     // RFC 3339
  std::string mountpoint;  // the directory of the host that is mounted
  std::map<std::string, std::string> labels;
  bool anonymous = false;  // made for a container that named none
};

struct VolumeOptions {
  std::string root;
  std::string name;                 // empty: one that nobody has
  std::vector<std::string> labels;  // NAME[=VALUE]
};
/// Makes a volume; one that is there already stays as it is, as with docker. Its name.
Outcome<std::string> create_volume(const VolumeOptions& options);

/// By name. `filters` as docker's: name=PART, label=NAME[=VALUE], label!=..., driver=local, dangling=BOOL, anonymous=BOOL, until=TIME.
Outcome<std::vector<Volume>> volumes(const std::string& root,
                                     const std::vector<std::string>& filters);

/// What is known of a volume, as a JSON object with docker's member names.
Outcome<std::string> inspect_volume(const std::string& root, const std::string& name);

/// Deletes a volume with all that is in it. The failure's exit code is 2 if a container uses it, and 1 if there is none; with `force`
/// that is none. Whether there was one.
Outcome<bool> remove_volume(const std::string& root, const std::string& name, bool force);

struct PruneVolumesOptions {
  std::string root;
  bool all = false;                  // also those with a name
  std::vector<std::string> filters;  // label=NAME[=VALUE], label!=..., until=TIME
};
struct PrunedVolumes {
  std::vector<std::string> names;
  std::uint64_t bytes = 0;  // that are free now
};
/// Removes volumes that no container uses.
Outcome<PrunedVolumes> prune_volumes(const PruneVolumesOptions& options);

}  // namespace sbx
