#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"
#include "runtime/identity.hpp"
#include "runtime/root_source.hpp"
#include "runtime/volumes.hpp"
#include "sys/lock.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

/// The volumes of a container that is made or is about to run: they are there, have what the image has in their place, and nobody
/// removes them while this lives.
class VolumeClaims {
 public:
  struct Input {
    RootSource& source;
    const IdChoice& ids;
    const sys::Invoker& invoker;
    const oci::RuntimeSpec& spec;
    std::string data_root;
    std::string container;  // its id
    bool fresh = true;      // new: empty volumes are filled, as docker does
    bool synced = true;     // what is copied has to outlive a power cut
  };
  VolumeClaims() = default;
  /// Makes volumes that are not there, and fills empty ones with what the image has at their place; and gives to the container's
  /// user what a mount says is to be given (`U`). Also where it fails what it made stays, for who removes the container.
  Result<void> take(const Input& input);
  void release() { locks_.clear(); }

 private:
  std::vector<sys::FileLock> locks_;
};

/// The volumes that a container mounts, each once.
[[nodiscard]] std::vector<VolumeUse> volumes_of(const oci::RuntimeSpec& spec);

}  // namespace sbx::runtime
