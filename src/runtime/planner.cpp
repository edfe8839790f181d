#include "runtime/planner.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "runtime/mount_options.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

using sandbox::MountStep;

/// Switches of a mount into attributes; the rest is for the file system.
void read_options(const std::vector<std::string>& options, MountStep& step) {
  for (const std::string& option : options) {
    if (option == "ro") {
      step.attributes.read_only = true;
    } else if (option == "nosuid") {
      step.attributes.no_suid = true;
    } else if (option == "nodev") {
      step.attributes.no_dev = true;
    } else if (option == "noexec") {
      step.attributes.no_exec = true;
    } else if (option == "rbind") {
      step.recursive = true;
    } else if (option == "rslave") {
      step.attributes.make_slave = true;
    } else if (option == "bind" || option == "rw" || option == "suid" || option == "dev" ||
               option == "exec" || option.starts_with(mount_word::kPrefix)) {
      continue;  // the default, or not for the kernel
    } else {
      const std::size_t equals = option.find('=');
      step.options.emplace_back(option.substr(0, equals), equals == std::string::npos
                                                              ? std::string()
                                                              : option.substr(equals + 1));
    }
  }
}

/// The kernel lets nobody but root of the machine take back what the host's mount forbids; mount_namespaces(7), "locked".
Result<void> check_allowed(const oci::SpecMount& mount) {
  struct statvfs fs {};
  if (::statvfs(mount.source.c_str(), &fs) != 0) {
    return {};  // what is wrong with it is told where it is mounted
  }
  for (const auto& [word, flag] :
       {std::pair("exec", ST_NOEXEC), std::pair("suid", ST_NOSUID), std::pair("dev", ST_NODEV)}) {
    if (has_word(mount, word) && (fs.f_flag & static_cast<unsigned long>(flag)) != 0) {
      return fail(Error::make(ErrorCode::kDenied,
                              fmt::format("mount with option {} from the host", word), mount.source,
                              fmt::format("the host has mounted it with no{}, which only root of "
                                          "the machine can change",
                                          word)));
    }
  }
  return {};
}

Result<MountStep> bind_step(const oci::SpecMount& mount, const PlanInput& input) {
  MountStep step;
  step.kind = MountStep::Kind::kBind;
  step.target = mount.destination;
  step.source = mount.source;
  step.follow_links = true;
  read_options(mount.options, step);
  if (!input.etc_directory.empty() && mount.source.starts_with(input.etc_directory + "/")) {
    step.in_memory = input.etc_in_memory;
    return step;
  }
  struct stat st {};
  if (::stat(mount.source.c_str(), &st) == 0) {
    SBX_TRY(check_allowed(mount));
  } else if (errno == ENOENT && has_word(mount, mount_word::kCreate)) {
    step.make_source = true;
  } else {
    const int why = errno;
    return fail(
        Error::system("mount from the host", mount.source, why)
            .with_hint(why == ENOENT ? "--volume makes a directory that is not there" : ""));
  }
  return step;
}

MountStep volume_step(const oci::SpecMount& mount, const std::string& volumes) {
  MountStep step;
  step.target = mount.destination;
  step.source = fmt::format("{}/{}/_data", volumes, mount.source);
  step.beneath = word_value(mount, mount_word::kSubpath);
  read_options(mount.options, step);
  return step;
}

MountStep instance_step(const oci::SpecMount& mount, bool system) {
  MountStep step;
  step.kind = MountStep::Kind::kInstance;
  step.target = mount.destination;
  step.fs_type = mount.type;
  // An image whose /proc, /dev or /sys is a link is refused (CVE-2026-41579); a user's own tmpfs may lie behind one.
  step.follow_links = !system;
  read_options(mount.options, step);
  return step;
}

void add_links(std::vector<MountStep>& steps) {
  for (const auto& [name, target] :
       {std::pair("/dev/fd", "/proc/self/fd"), std::pair("/dev/stdin", "/proc/self/fd/0"),
        std::pair("/dev/stdout", "/proc/self/fd/1"), std::pair("/dev/stderr", "/proc/self/fd/2"),
        std::pair("/dev/ptmx", "pts/ptmx"), std::pair("/dev/core", "/proc/kcore")}) {
    MountStep step;
    step.kind = MountStep::Kind::kSymlink;
    step.target = name;
    step.source = target;
    steps.push_back(std::move(step));
  }
}

void add_devices(const std::vector<oci::SpecDevice>& devices, std::vector<MountStep>& steps) {
  for (const oci::SpecDevice& device : devices) {
    MountStep step;
    step.kind = MountStep::Kind::kBind;
    step.target = device.path;
    step.source = device.source;
    step.device = true;
    step.attributes.no_exec = true;
    step.attributes.no_suid = true;
    steps.push_back(std::move(step));
  }
}

void add_hidden(const oci::RuntimeSpec& spec, std::vector<MountStep>& steps) {
  const auto add = [&](const std::vector<std::string>& paths, MountStep::Kind kind) {
    for (const std::string& path : paths) {
      MountStep step;
      step.kind = kind;
      step.target = path;
      steps.push_back(std::move(step));
    }
  };
  add(spec.masked_paths, MountStep::Kind::kMask);
  add(spec.read_only_paths, MountStep::Kind::kReadOnly);
}

bool is_system_mount(const oci::SpecMount& mount) {
  return mount.destination == "/proc" || mount.destination == "/sys" ||
         mount.destination == "/run" || mount.destination == "/dev" ||
         mount.destination.starts_with("/dev/");
}

/// The system's own mounts first, then devices, masks and links in them, then what the user asked for.
Result<std::vector<MountStep>> mount_steps(const PlanInput& input) {
  const oci::RuntimeSpec& spec = input.spec;
  std::vector<MountStep> steps;
  std::vector<MountStep> later;
  bool system = true;
  for (const oci::SpecMount& mount : spec.mounts) {
    system = system && is_system_mount(mount);
    std::vector<MountStep>& list = system ? steps : later;
    if (mount.type == "bind") {
      MountStep step = SBX_TRY(bind_step(mount, input));
      step.follow_links = !system;
      list.push_back(std::move(step));
    } else if (mount.type == kVolumeType) {
      MountStep step = volume_step(mount, input.volumes_directory);
      step.follow_links = !system;
      list.push_back(std::move(step));
    } else {
      list.push_back(instance_step(mount, system));
    }
  }
  add_links(steps);
  add_devices(spec.devices, steps);
  add_hidden(spec, steps);
  std::move(later.begin(), later.end(), std::back_inserter(steps));
  return steps;
}

sandbox::Network network_of(NetworkMode mode) {
  switch (mode) {
    case NetworkMode::kSlirp:
      return sandbox::Network::kTap;
    case NetworkMode::kNone:
      return sandbox::Network::kNone;
    case NetworkMode::kHost:
      return sandbox::Network::kHost;
  }
  return sandbox::Network::kNone;
}

}  // namespace

std::vector<std::string> command_candidates(const std::string& name,
                                            const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) {
    return {name};
  }
  const auto path =
      std::find_if(environment.begin(), environment.end(),
                   [](const std::string& entry) { return entry.starts_with("PATH="); });
  std::vector<std::string> candidates;
  std::string_view rest =
      path == environment.end() ? std::string_view{} : std::string_view(*path).substr(5);
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string_view dir = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    candidates.push_back(dir.empty() ? "./" + name : fmt::format("{}/{}", dir, name));
  }
  return candidates;
}

Result<sandbox::Plan> make_plan(const PlanInput& input) {
  const oci::SpecProcess& process = input.spec.process;
  sandbox::Plan plan;
  plan.id = input.container_id;
  plan.hostname = input.spec.hostname;
  plan.root_point = input.root_point;
  plan.identities = input.ids.identities;
  plan.root_options = {{"source", "sbx"},
                       {"subtype", "sbx"},
                       {"rootmode", "40000"},
                       {"user_id", std::to_string(plan.identities.maps.uids.front().inside)},
                       {"group_id", std::to_string(plan.identities.maps.gids.front().inside)},
                       {"default_permissions", ""},
                       {"allow_other", ""}};
  plan.network = network_of(input.network);
  plan.mounts = SBX_TRY(mount_steps(input));
  plan.read_only_root = input.spec.read_only_root;
  plan.terminal = process.terminal;
  plan.init = input.init;
  plan.credentials = {process.user.uid, process.user.gid, process.user.additional_gids,
                      SBX_TRY(sys::capabilities(process.capabilities)), process.no_new_privileges};
  plan.command = {process.args, process.env, command_candidates(process.args.front(), process.env),
                  process.cwd};
  return plan;
}

}  // namespace sbx::runtime
