#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"
#include "runtime/container_state.hpp"
#include "runtime/stored_request.hpp"

namespace sbx::runtime {

/// A container as others see it, who do not hold its lock.
struct Container {
  ContainerState state;  // kExited with kLostExitCode if it says kRunning and nobody holds the lock
  bool stopped = false;  // somebody has asked for its end, since somebody started it
  bool busy = false;     // somebody holds the lock: it runs, begins or ends
  bool paused = false;   // it runs, and all its processes are stopped
  [[nodiscard]] bool running() const { return busy && state.status == ContainerStatus::kRunning; }
  [[nodiscard]] bool restarting() const {
    return busy && state.status == ContainerStatus::kRestarting;
  }
};

/// "created", "running", "paused", "restarting" or "exited".
[[nodiscard]] std::string_view status_word(const Container& container);

/// All containers below the data directory, the newest first; none if there is no such directory. What is being made or
/// removed just now is left out.
Result<std::vector<Container>> list_containers(const std::string& data_root);

/// What a container takes on disk, in bytes.
Result<std::uint64_t> container_size(const std::string& data_root, const std::string& id);

/// The container of this name, of this id, or the only one whose id begins like that. kNotFound, with a similar name as the hint;
/// kInvalidArgument if there are several.
Result<Container> find_container(const std::string& data_root, const std::string& query);

/// Of one whose id is known. kNotFound if it is gone.
Result<Container> read_container(const std::string& data_root, const std::string& id);

/// What begins or ends just now, or is only looked at by another command, as it is afterwards: waits at most ten seconds.
Result<Container> settled(const std::string& data_root, Container container);

/// What config.json says.
struct ContainerConfig {
  oci::RuntimeSpec spec;
  StoredRequest stored;
};

/// kNotFound if the container is gone or has none yet.
Result<ContainerConfig> read_container_config(const std::string& data_root, const std::string& id);

/// What its health checks told (docker's State.Health); nullopt for a container without them, or that does not run.
Result<std::optional<Json>> read_health(const std::string& data_root, const Container& container);

/// Removes the containers of `doomed` that nobody holds, with their names. Those that it removed. Volumes stay, but those without a
/// name of containers that were to go with their end, and, with `volumes`, all without a name.
Result<std::vector<Container>> remove_containers(const std::string& data_root,
                                                 const std::vector<Container>& doomed,
                                                 bool volumes = false);

}  // namespace sbx::runtime
