#include "runtime/exec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/account.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/containers.hpp"
#include "runtime/detach.hpp"
#include "runtime/environment.hpp"
#include "runtime/events.hpp"
#include "runtime/joinable.hpp"
#include "runtime/planner.hpp"
#include "runtime/prepare.hpp"
#include "runtime/run.hpp"
#include "runtime/settings.hpp"
#include "runtime/supervisor.hpp"
#include "sys/raw.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

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

sys::Namespaces namespaces_of(NetworkMode network) {
  sys::Namespaces joined;
  joined.net = network != NetworkMode::kHost;
  return joined;
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

void tell_start(const std::string& data_root, const Target& target, const ExecOptions& options) {
  write_container_event(data_root, target.container.state,
                        fmt::format("exec_start: {}", fmt::join(options.command, " ")));
}

void tell_end(const std::string& data_root, const Target& target, const Result<int>& code) {
  write_container_event(data_root, target.container.state, "exec_die",
                        {{"exitCode", std::to_string(code ? *code : exit_code_of(code.error()))}});
}

}  // namespace

Result<sys::Fd> open_command_of(const std::string& data_root, const std::string& id) {
  const Target target = SBX_TRY(find_target(data_root, id));
  return open_command(data_root, target.container, target.config.stored.init,
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
  if (target.container.paused) {
    return fail(Error::make(ErrorCode::kBusy, "run a command in container",
                            target.container.state.id.substr(0, 12), "it is paused")
                    .with_hint("'sbx unpause' lets it go on"));
  }
  const sys::Namespaces joined = namespaces_of(target.config.stored.request.network);
  const sys::Fd command =
      SBX_TRY(open_command(data_root, target.container, target.config.stored.init, joined));
  SBX_TRY(change_process(target, options, command.get(), joined));
  const sandbox::Plan plan = SBX_TRY(plan_of(target));
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  SupervisorInput input{plan, nullptr, root};
  input.joined = command.get();
  input.interactive = options.interactive;
  input.on_running = [&] { tell_start(data_root, target, options); };
  if (!options.detach) {
    Result<int> code = supervise(std::move(input));
    tell_end(data_root, target, code);
    return code;
  }
  SBX_TRY(detach([&](const DetachedReady& ready) {
    Attachments nobody;
    input.detached.emplace(DetachedStreams{nullptr, &nobody, false});
    input.on_running = [&] {
      tell_start(data_root, target, options);
      ready({});
    };
    const Result<int> code = supervise(std::move(input));
    tell_end(data_root, target, code);
    if (!code) {
      ready(fail(code.error()));
    }
  }));
  return 0;
}

}  // namespace sbx::runtime
