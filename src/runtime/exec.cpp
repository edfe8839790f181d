#include "runtime/exec.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/account.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/containers.hpp"
#include "runtime/detach.hpp"
#include "runtime/environment.hpp"
#include "runtime/planner.hpp"
#include "runtime/prepare.hpp"
#include "runtime/settings.hpp"
#include "runtime/supervisor.hpp"
#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/raw.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxChildren = std::size_t{64} << 10U;
// passwd files of large sites; more is not a passwd file.
constexpr std::size_t kMaxAccounts = std::size_t{8} << 20U;
// A container that has only just begun has no command yet, and one of which the memory is still ours may not be joined.
constexpr timespec kPause{0, 2'000'000};
constexpr int kTries = 2500;  // five seconds

Error not_running(const Container& container) {
  return Error::make(ErrorCode::kBusy, "run a command in container",
                     container.state.id.substr(0, 12), "it is not running")
      .with_hint("'sbx start' runs it");
}

/// A running container, as config.json describes it.
struct Target {
  Container container;
  ContainerConfig config;
};

Result<Target> find_target(const std::string& data_root, const std::string& name) {
  Container container = SBX_TRY(settled(data_root, SBX_TRY(find_container(data_root, name))));
  if (!container.running()) {
    return fail(not_running(container));
  }
  ContainerConfig config = SBX_TRY(read_container_config(data_root, container.state.id));
  return Target{std::move(container), std::move(config)};
}

/// The container's command: PID 1, or the first child of an init of ours, whose memory is the supervisor's and which nobody may join.
Result<sys::Fd> open_command(const Target& target) {
  const sys::ProcessMark& init = target.container.state.init;
  sys::Fd first = SBX_TRY(sys::open_process(init));
  if (!target.config.stored.init) {
    return first;
  }
  const std::string path = fmt::format("/proc/{0}/task/{0}/children", init.pid);
  const sys::Fd file = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY));
  const std::string text = SBX_TRY(sys::read_fd(file.get(), kMaxChildren, path));
  pid_t child = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), child).ec != std::errc()) {
    return fail(Error::make(ErrorCode::kNotFound, "find the command of", target.container.state.id,
                            "it has not begun, or has ended"));
  }
  sys::Fd command = SBX_TRY(sys::open_process(SBX_TRY(sys::mark_process(child))));
  (void)SBX_TRY(sys::open_process(init));  // alive until now: so it was its child
  return command;
}

sys::Namespaces namespaces_of(NetworkMode network) {
  sys::Namespaces joined;
  joined.net = network != NetworkMode::kHost;
  return joined;
}

/// Copies a file of the container to `out`. In a process inside, which may only use system calls.
void copy_from_inside(const char* path, int out) {
  const long file = sys::raw::open(sys::raw::kCwd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat st {};
  std::array<char, 4096> bytes;  // NOLINT: read before written never happens
  if (file < 0 || sys::raw::fstat(static_cast<int>(file), &st) < 0 || !S_ISREG(st.st_mode)) {
    sys::raw::exit(0);
  }
  for (long got = 1; got > 0;) {
    got = sys::raw::read(static_cast<int>(file), bytes.data(), bytes.size());
    if (got <= 0 || sys::raw::write(out, bytes.data(), static_cast<std::size_t>(got)) != got) {
      break;
    }
  }
  sys::raw::exit(0);
}

/// The text of a regular file as the container has it now; empty if there is none.
Result<std::string> read_inside(int command, const sys::Namespaces& joined, const char* path) {
  sys::Pipe pipe = SBX_TRY(sys::make_pipe());
  sys::Cloned cloned = SBX_TRY(
      sys::clone_joined(command, joined, [&] { copy_from_inside(path, pipe.writer.get()); }));
  const sys::Child reader(cloned.pid, std::move(cloned.pidfd));  // killed if there is too much
  pipe.writer.reset();
  return sys::read_fd(pipe.reader.get(), kMaxAccounts, path);
}

bool is_mapped(const std::vector<oci::SpecIdMapping>& maps, std::uint32_t id) {
  return std::any_of(maps.begin(), maps.end(), [&](const oci::SpecIdMapping& map) {
    return id >= map.container_id && id - map.container_id < map.size;
  });
}

/// --user, by the accounts of the container as they are now. The home directory.
Result<std::string> change_user(Target& target, const std::string& user, int command,
                                const sys::Namespaces& joined) {
  const Account account =
      SBX_TRY(find_account(user, {SBX_TRY(read_inside(command, joined, "/etc/passwd")),
                                  SBX_TRY(read_inside(command, joined, "/etc/group"))}));
  if (!is_mapped(target.config.spec.uid_mappings, account.uid) ||
      !is_mapped(target.config.spec.gid_mappings, account.gid)) {
    return fail(Error::make(ErrorCode::kUnsupported, "become user",
                            fmt::format("{}:{}", account.uid, account.gid),
                            "this id is not mapped into the container"));
  }
  oci::SpecUser& who = target.config.spec.process.user;
  who.uid = account.uid;
  who.gid = account.gid;
  if (who.additional_gids) {
    who.additional_gids = account.groups;
    std::erase_if(*who.additional_gids,
                  [&](gid_t gid) { return !is_mapped(target.config.spec.gid_mappings, gid); });
    who.additional_gids->insert(who.additional_gids->begin(), account.gid);  // see spec_builder.cpp
  }
  return account.home;
}

Result<void> change_process(Target& target, const ExecOptions& options, int command,
                            const sys::Namespaces& joined) {
  oci::SpecProcess& process = target.config.spec.process;
  std::string home;
  if (options.user) {
    home = SBX_TRY(change_user(target, *options.user, command, joined));
    std::erase_if(process.env, [](const std::string& one) { return one.starts_with("HOME="); });
  }
  if (options.working_directory) {
    if (!options.working_directory->starts_with('/')) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "use the working directory",
                              *options.working_directory, "it is not an absolute path"));
    }
    process.cwd = *options.working_directory;
  }
  RunRequest request;
  request.environment = options.environment;
  request.environment_files = options.environment_files;
  process.env = SBX_TRY(build_environment({request, process.env, home.empty() ? "/" : home,
                                           target.config.spec.hostname, options.terminal}));
  process.terminal = options.terminal;
  process.args = options.command;
  return {};
}

/// The plan of what is left to do: the sandbox itself is there.
Result<sandbox::Plan> plan_of(Target& target) {
  target.config.spec.mounts.clear();
  target.config.spec.devices.clear();
  target.config.spec.masked_paths.clear();
  target.config.spec.read_only_paths.clear();
  IdChoice ids;
  const auto extents = [](const std::vector<oci::SpecIdMapping>& maps) {
    std::vector<sys::IdExtent> out;
    for (const oci::SpecIdMapping& map : maps) {
      out.push_back({map.container_id, map.host_id, map.size});
    }
    return out;
  };
  ids.identities.maps = {extents(target.config.spec.uid_mappings),
                         extents(target.config.spec.gid_mappings)};
  sandbox::Plan plan =
      SBX_TRY(make_plan({target.config.spec, ids, target.config.stored.request.network,
                         target.container.state.id, "", "", "", target.config.stored.init}));
  plan.title = sys::ProcessTitle::find();
  return plan;
}

/// Until the container's command can be joined.
Result<sys::Fd> open_joinable_command(const std::string& data_root, const Target& target,
                                      const sys::Namespaces& joined) {
  for (int i = 0;; ++i) {
    Result<sys::Fd> command = open_command(target);
    Result<sys::Cloned> tried =
        command ? sys::clone_joined(command->get(), joined, [] { sys::raw::exit(0); })
                : fail(command.error());
    if (tried) {
      const sys::Child probe(tried->pid, std::move(tried->pidfd));
      return command;
    }
    if (i == kTries || !SBX_TRY(read_container(data_root, target.container.state.id)).running()) {
      return i == kTries ? fail(std::move(tried).error()) : fail(not_running(target.container));
    }
    (void)::nanosleep(&kPause, nullptr);
  }
}

}  // namespace

Result<sys::Fd> open_command_of(const std::string& data_root, const std::string& id) {
  const Target target = SBX_TRY(find_target(data_root, id));
  return open_joinable_command(data_root, target,
                               namespaces_of(target.config.stored.request.network));
}

Result<int> exec(const ExecOptions& options) {
  sys::fill_standard_streams();
  if (options.detach) {
    SBX_TRY(sys::close_all_but({}));  // as in run_detached
  }
  // What goes inside begins as a copy of us: nobody there may look into it, nor reach our program file (CVE-2019-5736).
  (void)sys::raw::set_dumpable(false);
  const std::string data_root = SBX_TRY(data_root_of(options.root));
  Target target = SBX_TRY(find_target(data_root, options.container));
  const sys::Namespaces joined = namespaces_of(target.config.stored.request.network);
  const sys::Fd command = SBX_TRY(open_joinable_command(data_root, target, joined));
  SBX_TRY(change_process(target, options, command.get(), joined));
  const sandbox::Plan plan = SBX_TRY(plan_of(target));
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  SupervisorInput input{plan, nullptr, root};
  input.joined = command.get();
  input.interactive = options.interactive;
  if (!options.detach) {
    return supervise(std::move(input));
  }
  SBX_TRY(detach([&](const DetachedReady& ready) {
    Attachments nobody;
    input.detached.emplace(DetachedStreams{nullptr, &nobody, false});
    input.on_running = [&] { ready({}); };
    if (const Result<int> code = supervise(std::move(input)); !code) {
      ready(fail(code.error()));
    }
  }));
  return 0;
}

}  // namespace sbx::runtime
