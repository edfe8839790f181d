#pragma once

// Volumes on disk: volumes/NAME/{_data,volume.json,lock}, and what else lies there for a while:
//
//   volumes/.new-X   being made; renamed to NAME when it is whole
//   volumes/.old-X   being removed; renamed from NAME, as the first step
//   NAME/unused      no container has used it yet
//   NAME/owner       a symbolic link to the id of the container that an anonymous volume was made for, and goes with
//   NAME/_new        being filled; renamed to _data when it is whole
//
// Who mounts a volume, or is about to, holds its lock shared; who fills or removes it, exclusively. So a free lock means that .new-, .old-
// and _new are nobody's. A container that does not run holds no lock: its state.json names its volumes.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "runtime/volume_record.hpp"
#include "sys/fd.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {

class VolumeStore {
 public:
  /// Makes the folder if need be. `data_root` is absolute.
  static Result<VolumeStore> open(const std::string& data_root);

  [[nodiscard]] int fd() const { return folder_.get(); }
  /// Where what is in a volume lies.
  [[nodiscard]] std::string data_path(const std::string& name) const;

  /// False if there is one of that name already, which stays as it is. `owner`: the container that an anonymous one is for, or empty.
  [[nodiscard]] Result<bool> create(const VolumeRecord& record,
                                    const std::string& owner = "") const;
  /// kNotFound, kCorrupt.
  [[nodiscard]] Result<VolumeRecord> read(const std::string& name) const;
  /// By name, or by the beginning of a name that no other has. kNotFound; kInvalidArgument if there are several.
  [[nodiscard]] Result<VolumeRecord> find(const std::string& query) const;
  /// By name. Those that cannot be read are left out, with a warning.
  [[nodiscard]] Result<std::vector<VolumeRecord>> list() const;

  /// nullopt if others hold it in a way that stands against this one. kNotFound if there is no such volume any more.
  [[nodiscard]] Result<std::optional<sys::FileLock>> try_lock(const std::string& name,
                                                              sys::FileLock::Kind kind) const;

  /// Deletes a volume with all that is in it. kBusy if a container uses it, which is named; kNotFound. The caller must have one thread.
  [[nodiscard]] Result<void> remove(const std::string& name) const;

  /// From now on an anonymous volume stays when its container goes.
  void disown(const std::string& name) const;

  /// Removes what killed processes left behind, and anonymous volumes whose containers are gone. Failures are left for the next time.
  void sweep() const;

  /// Names of containers, or short ids of those without one, by volume.
  [[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> users() const;

 private:
  [[nodiscard]] Result<void> remove_locked(const std::string& name,
                                           std::optional<sys::FileLock>& lock) const;
  void sweep_one(const std::string& name) const;

  std::string data_root_;
  sys::Fd folder_;
};

/// Removes the anonymous volumes of a container that is gone, unless another one uses them by now.
void remove_own_volumes(const std::string& data_root, const ContainerState& state);
/// Lets the anonymous volumes of a container stay when it goes.
void keep_own_volumes(const std::string& data_root, const ContainerState& state);
/// VolumeStore::sweep(), if there are volumes.
void sweep_volumes(const std::string& data_root);

/// The bytes that each volume takes on disk, in the order of `names`, also in directories that only ids of a sandbox may enter. The
/// caller must have one thread.
Result<std::vector<std::uint64_t>> volume_sizes(const VolumeStore& store,
                                                const std::vector<std::string>& names);

}  // namespace sbx::runtime
