#include "runtime/volumes_from.hpp"

#include <algorithm>

#include "runtime/containers.hpp"
#include "runtime/mount_options.hpp"

namespace sbx::runtime {
std::vector<oci::SpecMount> mounts_to_pass_on(const oci::RuntimeSpec& spec,
                                              std::optional<bool> read_only) {
  std::vector<oci::SpecMount> out;
  for (const oci::SpecMount& mount : spec.mounts) {
    // As docker: what is in memory is one container's.
    if (!has_word(mount, mount_word::kUser) || mount.type == "tmpfs") {
      continue;
    }
    oci::SpecMount passed = mount;
    std::erase(passed.options, mount_word::kAnonymous);  // it goes with the other container
    std::erase(passed.options, mount_word::kChown);
    if (read_only) {
      add_switch(passed, *read_only ? "ro" : "rw");
    }
    out.push_back(std::move(passed));
  }
  return out;
}

Result<std::vector<oci::SpecMount>> mounts_of_others(const std::string& data_root,
                                                     const std::vector<std::string>& texts) {
  std::vector<oci::SpecMount> out;
  for (const std::string& text : texts) {
    const VolumesFrom from = SBX_TRY(parse_volumes_from(text));
    const Container container = SBX_TRY(find_container(data_root, from.container));
    const oci::RuntimeSpec spec =
        SBX_TRY(read_container_config(data_root, container.state.id)).spec;
    for (oci::SpecMount& mount : mounts_to_pass_on(spec, from.read_only)) {
      const bool taken = std::any_of(out.begin(), out.end(), [&](const oci::SpecMount& one) {
        return one.destination == mount.destination;
      });
      if (!taken) {
        out.push_back(std::move(mount));
      }
    }
  }
  return out;
}

}  // namespace sbx::runtime
