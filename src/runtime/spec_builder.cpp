#include "runtime/spec_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/environment.hpp"
#include "runtime/mount_options.hpp"

namespace sbx::runtime {
namespace {

// Docker's default set: moby profiles/capabilities, unchanged since 2014.
constexpr std::array<const char*, 14> kDefaultCapabilities{
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FOWNER",           "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",       "CAP_SYS_CHROOT"};

// As runc and crun hide them by default (moby oci/defaults.go).
constexpr std::array<const char*, 12> kMaskedPaths{
    "/proc/asound",      "/proc/acpi",          "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug",   "/proc/scsi",
    "/proc/interrupts",  "/sys/firmware",       "/sys/devices/virtual/powercap"};
constexpr std::array<const char*, 5> kReadOnlyPaths{"/proc/bus", "/proc/fs", "/proc/irq",
                                                    "/proc/sys", "/proc/sysrq-trigger"};

constexpr std::array<const char*, 6> kDevices{"/dev/null",   "/dev/zero",    "/dev/full",
                                              "/dev/random", "/dev/urandom", "/dev/tty"};

// Group "tty" of Debian, Fedora, SUSE and Alpine: who may write to terminals.
constexpr std::uint32_t kTtyGroup = 5;

bool is_mapped(const std::vector<sys::IdExtent>& extents, std::uint32_t id) {
  return std::any_of(extents.begin(), extents.end(), [&](const sys::IdExtent& extent) {
    return id >= extent.inside && id - extent.inside < extent.count;
  });
}

std::vector<oci::SpecIdMapping> to_spec(const std::vector<sys::IdExtent>& extents) {
  std::vector<oci::SpecIdMapping> out;
  for (const sys::IdExtent& extent : extents) {
    out.push_back({extent.inside, extent.outside, extent.count});
  }
  return out;
}

class Builder {
 public:
  explicit Builder(const SpecInput& input) : in_(input) {}

  Result<oci::RuntimeSpec> build() {
    SBX_TRY(set_process());
    set_namespaces();
    add_system_mounts();
    add_devices();
    if (!in_.request.unmask) {
      spec_.masked_paths.assign(kMaskedPaths.begin(), kMaskedPaths.end());
      spec_.read_only_paths.assign(kReadOnlyPaths.begin(), kReadOnlyPaths.end());
    }
    add_etc_files();
    SBX_TRY(add_user_mounts());
    spec_.read_only_root = in_.request.read_only;
    spec_.hostname = host_name();
    if (!in_.defaults.stop_signal.empty()) {
      // OCI image specification, conversion.md.
      spec_.annotations.emplace_back("org.opencontainers.image.stopSignal",
                                     in_.defaults.stop_signal);
    }
    return std::move(spec_);
  }

 private:
  [[nodiscard]] std::string host_name() const {
    if (in_.request.hostname) {
      return *in_.request.hostname;
    }
    return in_.request.network == NetworkMode::kHost ? std::string()
                                                     : in_.container_id.substr(0, 12);
  }

  [[nodiscard]] std::string user_text() const {
    if (in_.request.user) {
      return *in_.request.user;
    }
    if (in_.request.user_namespace != UserNamespaceMode::kKeepId) {
      return in_.defaults.user;
    }
    const KeptIds& kept = in_.request.kept_ids;
    return fmt::format("{}:{}", kept.uid.value_or(in_.invoker.uid),
                       kept.gid.value_or(in_.invoker.gid));
  }

  Result<Account> set_user() {
    Account account = SBX_TRY(find_account(user_text(), in_.accounts));
    const sys::IdMaps& maps = in_.ids.identities.maps;
    if (!is_mapped(maps.uids, account.uid) || !is_mapped(maps.gids, account.gid)) {
      return fail(
          Error::make(ErrorCode::kUnsupported, "become user",
                      fmt::format("{}:{}", account.uid, account.gid),
                      in_.ids.single ? "without subordinate ids the sandbox has one id only"
                                     : "this id is not mapped into the sandbox")
              .with_hint(in_.ids.single
                             ? "'sbx doctor' tells how to get subordinate ids; or run as --user 0"
                             : "see 'sbx run --dry-run' for the ids there are"));
    }
    oci::SpecUser& user = spec_.process.user;
    user.uid = account.uid;
    user.gid = account.gid;
    const bool keep_groups = in_.request.host_user || in_.ids.identities.deny_setgroups;
    if (!keep_groups) {
      std::erase_if(account.groups, [&](gid_t gid) { return !is_mapped(maps.gids, gid); });
      // As runc does: the own group is among the supplementary ones, so that dropping it needs setgroups (CVE-2022-36109).
      account.groups.insert(account.groups.begin(), account.gid);
      user.additional_gids = account.groups;
    }
    return account;
  }

  /// In a view of the host's tree, root is the invoker: the home of the host's root would be closed to it.
  [[nodiscard]] std::string home_of(const Account& account) const {
    const bool is_invoker =
        in_.own_run_directory && account.uid == 0 && !in_.request.user && !in_.invoker.home.empty();
    return is_invoker ? in_.invoker.home : account.home;
  }

  Result<void> set_process() {
    oci::SpecProcess& process = spec_.process;
    const Account account = SBX_TRY(set_user());
    process.terminal = in_.request.terminal;
    process.args = SBX_TRY(build_arguments(in_.request, in_.defaults));
    process.env = SBX_TRY(build_environment({in_.request, in_.defaults.environment,
                                             home_of(account), host_name(), in_.request.terminal}));
    process.cwd = SBX_TRY(working_directory());
    process.capabilities.assign(kDefaultCapabilities.begin(), kDefaultCapabilities.end());
    process.no_new_privileges = in_.request.no_new_privileges;
    return {};
  }

  [[nodiscard]] Result<std::string> working_directory() const {
    const std::string wanted =
        in_.request.working_directory.value_or(in_.defaults.working_directory);
    if (wanted.empty()) {
      return std::string("/");
    }
    if (!wanted.starts_with('/')) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "use working directory", wanted,
                              "it must be an absolute path inside the sandbox"));
    }
    return wanted;
  }

  void set_namespaces() {
    spec_.namespaces = {"user", "mount", "pid", "ipc", "uts", "cgroup"};
    if (in_.request.network != NetworkMode::kHost) {
      spec_.namespaces.emplace_back("network");
    }
    spec_.uid_mappings = to_spec(in_.ids.identities.maps.uids);
    spec_.gid_mappings = to_spec(in_.ids.identities.maps.gids);
  }

  void add_system_mounts() {
    std::vector<std::string> pts{"newinstance", "ptmxmode=0666", "mode=0620", "nosuid", "noexec"};
    if (is_mapped(in_.ids.identities.maps.gids, kTtyGroup)) {
      pts.push_back(fmt::format("gid={}", kTtyGroup));
    }
    auto& mounts = spec_.mounts;
    mounts.push_back({"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}});
    mounts.push_back({"/dev", "tmpfs", "tmpfs", {"nosuid", "noexec", "mode=755", "size=64k"}});
    mounts.push_back({"/dev/pts", "devpts", "devpts", std::move(pts)});
    constexpr std::uint64_t kSharedMemory = std::uint64_t{64} << 20U;  // docker's
    mounts.push_back({"/dev/shm",
                      "tmpfs",
                      "shm",
                      {"nosuid", "noexec", "nodev", "mode=1777",
                       fmt::format("size={}", in_.request.shm_size.value_or(kSharedMemory))}});
    mounts.push_back({"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}});
    if (in_.request.network == NetworkMode::kHost) {
      // sysfs shows a network namespace; the kernel gives no new instance for one that we do not own.
      mounts.push_back({"/sys", "bind", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}});
    } else {
      mounts.push_back({"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}});
    }
    if (in_.own_run_directory) {
      mounts.push_back({"/run", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=755", "size=64m"}});
    }
  }

  void add_devices() {
    for (const char* device : kDevices) {
      spec_.devices.push_back({device, device});
    }
    for (const std::string& wanted : in_.request.devices) {
      const std::size_t colon = wanted.find(':');
      const std::string source = wanted.substr(0, colon);
      spec_.devices.push_back(
          {colon == std::string::npos ? source : wanted.substr(colon + 1), source});
    }
  }

  void add_etc_files() {
    if (in_.etc_directory.empty()) {
      return;
    }
    std::vector<std::string> files{"hosts", "hostname", "resolv.conf"};
    if (in_.request.host_user) {
      files.insert(files.end(), {"passwd", "group"});
    }
    for (const std::string& file : files) {
      spec_.mounts.push_back(
          {"/etc/" + file, "bind", in_.etc_directory + "/" + file, {"bind", "nosuid", "nodev"}});
    }
  }

  Result<std::vector<oci::SpecMount>> wanted_mounts() const {
    std::vector<oci::SpecMount> mounts;
    for (const std::string& text : in_.request.volumes) {
      mounts.push_back(SBX_TRY(parse_volume(text)));
    }
    for (const std::string& text : in_.request.mounts) {
      mounts.push_back(SBX_TRY(parse_mount(text)));
    }
    for (const std::string& text : in_.request.tmpfs) {
      mounts.push_back(SBX_TRY(parse_tmpfs(text)));
    }
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      const auto end = mounts.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::any_of(mounts.begin(), end, [&](const oci::SpecMount& one) {
            return one.destination == mounts[i].destination;
          })) {
        return fail(Error::make(ErrorCode::kInvalidArgument, "mount at", mounts[i].destination,
                                "two mounts have this destination"));
      }
      mounts[i].options.emplace_back(mount_word::kUser);
    }
    return mounts;
  }

  /// As podman: with a root that cannot be written, programs still find places for what they keep for a moment.
  static std::vector<oci::SpecMount> places_to_write() {
    return {{"/run", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=755"}},
            {"/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}},
            {"/var/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}}};
  }

  /// What was asked for counts more than what comes from other containers, and that more than what the image wants.
  Result<void> add_user_mounts() {
    std::vector<oci::SpecMount> mounts = SBX_TRY(wanted_mounts());
    const auto add_if_free = [&mounts](oci::SpecMount mount) {
      if (std::none_of(mounts.begin(), mounts.end(), [&](const oci::SpecMount& one) {
            return one.destination == mount.destination;
          })) {
        mounts.push_back(std::move(mount));
      }
    };
    for (const oci::SpecMount& mount : in_.inherited) {
      add_if_free(mount);
    }
    for (const std::string& directory : in_.defaults.volumes) {
      const std::string clean = clean_path(directory);
      if (directory.starts_with('/') && clean != "/") {
        add_if_free(
            {clean, std::string(kVolumeType), "", {"rbind", std::string(mount_word::kUser)}});
      }
    }
    if (in_.request.read_only && in_.request.read_only_tmpfs) {
      for (oci::SpecMount& place : places_to_write()) {
        if (place.destination != "/run" || !in_.own_run_directory) {
          add_if_free(std::move(place));
        }
      }
    }
    // Outer directories first, so that an inner mount is not covered by a later outer one.
    std::stable_sort(mounts.begin(), mounts.end(),
                     [](const oci::SpecMount& a, const oci::SpecMount& b) {
                       return std::count(a.destination.begin(), a.destination.end(), '/') <
                              std::count(b.destination.begin(), b.destination.end(), '/');
                     });
    std::move(mounts.begin(), mounts.end(), std::back_inserter(spec_.mounts));
    return {};
  }

  const SpecInput& in_;
  oci::RuntimeSpec spec_;
};

}  // namespace

CommandWords command_words(const RunRequest& request, const ImageDefaults& defaults) {
  if (!request.entry_point) {
    return {defaults.entry_point, request.command.empty() ? defaults.command : request.command};
  }
  // As docker: --entrypoint replaces the image's, and the image's Cmd is meant for the image's entry point only.
  CommandWords words{{}, request.command};
  if (!request.entry_point->empty()) {
    words.entry_point.push_back(*request.entry_point);
  }
  return words;
}

Result<std::vector<std::string>> build_arguments(const RunRequest& request,
                                                 const ImageDefaults& defaults) {
  const CommandWords words = command_words(request, defaults);
  std::vector<std::string> arguments = words.entry_point;
  arguments.insert(arguments.end(), words.command.begin(), words.command.end());
  if (arguments.empty() || arguments.front().empty()) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "run", request.image,
                            "no command was given and the image has none")
                    .with_hint("sbx run IMAGE COMMAND"));
  }
  return arguments;
}

bool is_init_program(std::string_view argument) {
  constexpr std::array<std::string_view, 10> kInits{
      "init",      "systemd",   "s6-svscan", "tini",       "tini-static",
      "dumb-init", "catatonit", "runit",     "runit-init", "openrc-init"};
  const std::string_view base = argument.substr(argument.find_last_of('/') + 1);
  return std::find(kInits.begin(), kInits.end(), base) != kInits.end();
}

Result<oci::RuntimeSpec> build_spec(const SpecInput& input) { return Builder(input).build(); }

}  // namespace sbx::runtime
