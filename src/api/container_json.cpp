#include "api/container_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/mount_options.hpp"
#include "sys/netdev.hpp"

namespace sbx::api {
namespace {

constexpr const char* kNever = "0001-01-01T00:00:00Z";  // as docker writes no time at all

std::string time_or_never(const std::string& time) { return time.empty() ? kNever : time; }

Json state_of(const runtime::Container& container, const std::optional<Json>& health) {
  const runtime::ContainerState& state = container.state;
  Json out{{"Status", runtime::status_word(container)},
           {"Running", container.running() || container.restarting()},
           {"Paused", container.paused},
           {"Restarting", container.restarting()},
           {"OOMKilled", false},
           {"Dead", false},
           {"Pid", container.running() ? state.init.pid : 0},
           {"ExitCode", state.exit_code},
           {"Error", state.error},
           {"StartedAt", time_or_never(state.started)},
           {"FinishedAt", time_or_never(state.finished)}};
  if (health) {
    out["Health"] = *health;
  }
  return out;
}

/// What docker shows as the mode: the options that were given.
std::string mode_of(const oci::SpecMount& mount) {
  std::vector<std::string> mode = mount.options;
  std::erase_if(mode, [](const std::string& o) {
    return o == "bind" || o == "rbind" || o.starts_with(runtime::mount_word::kPrefix);
  });
  return fmt::format("{}", fmt::join(mode, ","));
}

/// Mounts that every container has are not for showing.
bool is_users(const oci::SpecMount& mount) {
  return runtime::has_word(mount, runtime::mount_word::kUser);
}

Json mounts_of(const oci::RuntimeSpec& spec, const std::string& volumes) {
  Json out = Json::array();
  for (const oci::SpecMount& mount : spec.mounts) {
    if (!is_users(mount)) {
      continue;
    }
    const bool volume = mount.type == runtime::kVolumeType;
    const bool tree = volume || mount.type == "bind";
    const bool slave = runtime::has_word(mount, "rslave");
    Json one{{"Type", mount.type},
             {"Source", volume                  ? fmt::format("{}/{}/_data", volumes, mount.source)
                        : mount.type == "tmpfs" ? std::string()
                                                : mount.source},
             {"Destination", mount.destination},
             {"Mode", mode_of(mount)},
             {"RW", !runtime::has_word(mount, "ro")},
             {"Propagation", !tree   ? ""
                             : slave ? "rslave"
                                     : "rprivate"}};
    if (volume) {
      one["Name"] = mount.source;
      one["Driver"] = "local";
    }
    out.push_back(std::move(one));
  }
  return out;
}

Json binds_of(const oci::RuntimeSpec& spec) {
  Json out = Json::array();
  for (const oci::SpecMount& mount : spec.mounts) {
    const bool named = mount.type == runtime::kVolumeType &&
                       !runtime::has_word(mount, runtime::mount_word::kAnonymous);
    if (is_users(mount) && (named || mount.type == "bind")) {
      out.push_back(fmt::format("{}:{}{}", mount.source, mount.destination,
                                runtime::has_word(mount, "ro") ? ":ro" : ""));
    }
  }
  return out;
}

std::string_view network_word(NetworkMode mode) {
  switch (mode) {
    case NetworkMode::kSlirp:
      return "slirp";
    case NetworkMode::kNone:
      return "none";
    case NetworkMode::kHost:
      break;
  }
  return "host";
}

Json log_config_of(const LogOptions& log) {
  Json options = Json::object();
  if (log.max_size != 0) {
    options["max-size"] = std::to_string(log.max_size);
    options["max-file"] = std::to_string(log.max_files);
  }
  return {{"Type", log.driver == LogDriver::kJsonFile ? "json-file" : "none"},
          {"Config", std::move(options)}};
}

Json host_config_of(const runtime::Container& container, const runtime::ContainerConfig& config) {
  const runtime::RunRequest& request = config.stored.request;
  Json security = Json::array();
  if (config.spec.process.no_new_privileges) {
    security.push_back("no-new-privileges");
  }
  return {{"Binds", binds_of(config.spec)},
          {"LogConfig", log_config_of(request.log)},
          {"NetworkMode", network_word(request.network)},
          {"PortBindings", Json::object()},
          {"RestartPolicy",
           {{"Name", container.state.restart}, {"MaximumRetryCount", request.restart.most}}},
          {"AutoRemove", container.state.remove},
          {"IpcMode", "private"},
          {"PidMode", ""},
          {"UTSMode", ""},
          {"CgroupnsMode", "private"},
          {"Privileged", false},
          {"ReadonlyRootfs", config.spec.read_only_root},
          {"SecurityOpt", std::move(security)},
          {"StorageOpt", request.storage.bytes == 0
                             ? Json::object()
                             : Json{{"size", std::to_string(request.storage.bytes)}}},
          {"Init", config.stored.init},
          {"MaskedPaths", config.spec.masked_paths},
          {"ReadonlyPaths", config.spec.read_only_paths}};
}

/// As docker, in nanoseconds.
Json healthcheck_of(const HealthCheck& check) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  return {{"Test", check.test},
          {"Interval", check.interval * kNsPerMs},
          {"Timeout", check.timeout * kNsPerMs},
          {"StartPeriod", check.start_period * kNsPerMs},
          {"StartInterval", check.start_interval * kNsPerMs},
          {"Retries", check.retries}};
}

Json config_of(const runtime::Container& container, const runtime::ContainerConfig& config) {
  const runtime::RunRequest& request = config.stored.request;
  return {{"Healthcheck", healthcheck_of(request.health)},
          {"Hostname", config.spec.hostname},
          {"User", config.stored.user},
          {"Tty", config.spec.process.terminal},
          {"OpenStdin", request.interactive},
          {"Env", config.spec.process.env},
          {"Cmd", config.stored.command},
          {"Entrypoint", config.stored.entry_point},
          {"Image", container.state.image},
          {"WorkingDir", config.spec.process.cwd},
          {"Labels", container.state.labels},
          {"StopSignal", request.stop_signal.value_or("SIGTERM")},
          {"StopTimeout", request.stop_timeout}};
}

/// Of a network of its own all sandboxes have the same addresses: nobody sees them from outside.
Json network_of(const runtime::Container& container, NetworkMode mode) {
  const bool has_address = mode == NetworkMode::kSlirp && container.running();
  const sys::TapConfig tap;
  const auto text = [&](const std::array<std::uint8_t, 4>& address) {
    return has_address ? fmt::format("{}", fmt::join(address, ".")) : std::string();
  };
  Json one{{"IPAddress", text(tap.address)},
           {"IPPrefixLen", has_address ? tap.prefix_length : 0},
           {"Gateway", text(tap.gateway)}};
  Json out = one;
  out["Ports"] = Json::object();
  out["Networks"] = {{network_word(mode), std::move(one)}};
  return out;
}

}  // namespace

Json container_to_json(const runtime::Container& container, const runtime::ContainerConfig& config,
                       const ContainerFacts& facts) {
  const runtime::ContainerState& state = container.state;
  const std::vector<std::string>& words = state.command;
  const std::string driver = state.kernel_overlay ? "overlay" : "sbx-overlay";
  const bool logged = config.stored.request.log.driver == LogDriver::kJsonFile;
  return {{"Id", state.id},
          {"Created", state.created},
          {"Path", words.empty() ? "" : words.front()},
          {"Args", words.empty() ? std::vector<std::string>()
                                 : std::vector<std::string>(words.begin() + 1, words.end())},
          {"State", state_of(container, facts.health)},
          {"Image", facts.image_id},
          {"ImageName", state.image},
          {"ImageDigest", state.image_id},
          {"Name", "/" + state.name},  // docker writes the slash of the links of its first years
          {"RestartCount", state.restarts},
          {"Driver", driver},
          {"Platform", "linux"},
          {"ResolvConfPath", facts.directory + "/etc/resolv.conf"},
          {"HostnamePath", facts.directory + "/etc/hostname"},
          {"HostsPath", facts.directory + "/etc/hosts"},
          {"LogPath", logged ? facts.directory + "/log/container.log" : ""},
          {"OCIConfigPath", facts.directory + "/config.json"},
          {"GraphDriver", {{"Name", driver}, {"Data", {{"UpperDir", facts.directory + "/upper"}}}}},
          {"HostConfig", host_config_of(container, config)},
          {"Mounts", mounts_of(config.spec, facts.volumes)},
          {"Config", config_of(container, config)},
          {"NetworkSettings", network_of(container, config.stored.request.network)}};
}

}  // namespace sbx::api
