#include "runtime/container_state.hpp"

#include <array>
#include <limits>

#include "oci/descriptor.hpp"

namespace sbx::runtime {
namespace {

constexpr int kVersion = 1;
constexpr std::array<std::pair<ContainerStatus, std::string_view>, 4> kWords{
    {{ContainerStatus::kCreated, "created"},
     {ContainerStatus::kRunning, "running"},
     {ContainerStatus::kRestarting, "restarting"},
     {ContainerStatus::kExited, "exited"}}};

Json mark_json(const sys::ProcessMark& mark) { return {{"pid", mark.pid}, {"start", mark.start}}; }

Error corrupt(std::string_view key) {
  return Error::make(ErrorCode::kCorrupt, "read state.json", std::string(key), "it cannot be that");
}

Result<sys::ProcessMark> read_mark(const Json& object, std::string_view key) {
  const Json* const mark = SBX_TRY(find_object(object, key));
  if (mark == nullptr) {
    return sys::ProcessMark();
  }
  const std::int64_t pid = SBX_TRY(find_integer(*mark, "pid")).value_or(0);
  const std::int64_t start = SBX_TRY(find_integer(*mark, "start")).value_or(0);
  if (pid < 0 || pid > std::numeric_limits<pid_t>::max() || start < 0) {
    return fail(corrupt(key));
  }
  return sys::ProcessMark{static_cast<pid_t>(pid), static_cast<std::uint64_t>(start)};
}

Result<ContainerStatus> read_status(const Json& object) {
  const std::string word = SBX_TRY(find_string(object, "status")).value_or("");
  for (const auto& [status, name] : kWords) {
    if (word == name) {
      return status;
    }
  }
  return fail(corrupt("status"));
}

Json volumes_json(const std::vector<VolumeUse>& volumes) {
  Json out = Json::array();
  for (const VolumeUse& one : volumes) {
    out.push_back({{"name", one.name}, {"anonymous", one.anonymous}});
  }
  return out;
}

Result<std::vector<VolumeUse>> read_volumes(const Json& object) {
  std::vector<VolumeUse> out;
  const Json* const list = SBX_TRY(find_array(object, "volumes"));
  for (const Json& one : list == nullptr ? Json::array() : *list) {
    if (!one.is_object()) {
      return fail(corrupt("volumes"));
    }
    out.push_back({SBX_TRY(find_string(one, "name")).value_or(""),
                   SBX_TRY(find_bool(one, "anonymous")).value_or(false)});
  }
  return out;
}

}  // namespace

std::string_view status_word(ContainerStatus status) {
  for (const auto& [one, name] : kWords) {
    if (one == status) {
      return name;
    }
  }
  return "";
}

Json to_json(const ContainerState& state) {
  return {{"version", kVersion},
          {"id", state.id},
          {"name", state.name},
          {"image", state.image},
          {"imageId", state.image_id},
          {"chain", state.chain},
          {"overlay", state.kernel_overlay ? "kernel" : "fuse"},
          {"command", state.command},
          {"labels", state.labels},
          {"restart", state.restart},
          {"healthChecked", state.health_checked},
          {"volumes", volumes_json(state.volumes)},
          {"autoRemove", state.remove},
          {"status", status_word(state.status)},
          {"created", state.created},
          {"started", state.started},
          {"finished", state.finished},
          {"monitor", mark_json(state.monitor)},
          {"process", mark_json(state.init)},
          {"exitCode", state.exit_code},
          {"restarts", state.restarts},
          {"error", state.error}};
}

Result<ContainerState> container_state_from_json(const Json& object) {
  ContainerState out;
  const auto text = [&](std::string_view key) -> Result<std::string> {
    return SBX_TRY(find_string(object, key)).value_or("");
  };
  out.id = SBX_TRY(text("id"));
  out.name = SBX_TRY(text("name"));
  out.image = SBX_TRY(text("image"));
  out.image_id = SBX_TRY(text("imageId"));
  out.chain = SBX_TRY(text("chain"));
  out.kernel_overlay = SBX_TRY(text("overlay")) == "kernel";
  out.command = SBX_TRY(find_strings(object, "command"));
  out.labels = SBX_TRY(oci::annotations_from_json(object, "labels"));
  out.volumes = SBX_TRY(read_volumes(object));
  out.remove = SBX_TRY(find_bool(object, "autoRemove")).value_or(false);
  out.status = SBX_TRY(read_status(object));
  out.created = SBX_TRY(text("created"));
  out.started = SBX_TRY(text("started"));
  out.finished = SBX_TRY(text("finished"));
  out.monitor = SBX_TRY(read_mark(object, "monitor"));
  out.init = SBX_TRY(read_mark(object, "process"));
  out.exit_code = static_cast<int>(SBX_TRY(find_integer(object, "exitCode")).value_or(0));
  out.health_checked = SBX_TRY(find_bool(object, "healthChecked")).value_or(false);
  out.restart = SBX_TRY(text("restart"));
  out.restarts = static_cast<unsigned>(SBX_TRY(find_integer(object, "restarts")).value_or(0));
  out.error = SBX_TRY(text("error"));
  return out;
}

}  // namespace sbx::runtime
