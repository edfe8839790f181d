#pragma once

// What state.json says of a container. Pure: files are container_dir's.

#include <map>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "sys/process_mark.hpp"

namespace sbx::runtime {

/// As docker counts them; a container is only as alive as its lock, whatever its state says.
enum class ContainerStatus { kCreated, kRunning, kRestarting, kExited };

/// A volume that a container mounts.
struct VolumeUse {
  std::string name;
  bool anonymous = false;  // made for this container alone
  friend bool operator==(const VolumeUse&, const VolumeUse&) = default;
};

struct ContainerState {
  std::string id;        // 64 hexadecimal digits
  std::string name;      // empty: none
  std::string image;     // as typed
  std::string image_id;  // digest of the manifest; empty: not an image of the store
  std::string chain;     // of the image below; empty: a directory
  std::vector<std::string> command;
  std::map<std::string, std::string> labels;
  std::string restart;          // policy: restart_word()
  bool health_checked = false;  // health.json tells
  std::vector<VolumeUse> volumes;
  bool remove = false;          // gone with its end, also after kill -9
  bool kernel_overlay = false;  // upper/ and work/ are as the kernel's overlay writes them

  ContainerStatus status = ContainerStatus::kCreated;
  std::string created;       // RFC 3339, with nanoseconds
  std::string started;       // last time; empty: never
  std::string finished;      // last time; empty: never
  sys::ProcessMark monitor;  // of the supervisor; running or restarting
  sys::ProcessMark init;     // PID 1 of the sandbox; running only
  int exit_code = 0;         // of the last end
  unsigned restarts = 0;     // by itself, since somebody started it
  std::string error;         // why it could not be started, or was ended by us; one line
};

Json to_json(const ContainerState& state);
/// kCorrupt for members of the wrong type. What older versions did not write has its default.
Result<ContainerState> container_state_from_json(const Json& object);

/// "created", "running", "restarting" or "exited".
[[nodiscard]] std::string_view status_word(ContainerStatus status);

/// The exit code of a container whose processes were all killed without anybody to note how it ended; as docker.
inline constexpr int kLostExitCode = 255;

}  // namespace sbx::runtime
