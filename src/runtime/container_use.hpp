#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/container_dir.hpp"

namespace sbx::runtime {

/// A container as `sbx system df` and `prune` see it.
struct ContainerUse {
  std::string id;
  std::string name;             // empty: none
  std::string image;            // as typed
  std::string chain;            // of the image below; empty: none
  std::string changed;          // RFC 3339: when it started or ended
  bool kernel_overlay = false;  // its changes are as the kernel's overlay writes them
  bool running = false;
  std::uint64_t bytes = 0;  // on disk
};

/// All containers below the data directory; none if there is no such directory.
Result<std::vector<ContainerUse>> list_containers(const std::string& data_root);

/// The container of this name, of this id, or the only one whose id begins like that. kNotFound; kInvalidArgument if there are
/// several.
Result<ContainerUse> find_container(const std::string& data_root, const std::string& query);

/// Removes the containers of `doomed` that are still not running, with their names. Those that it removed.
Result<std::vector<ContainerUse>> remove_containers(const std::string& data_root,
                                                    const std::vector<ContainerUse>& doomed);

}  // namespace sbx::runtime
