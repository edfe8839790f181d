#include "runtime/run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "runtime/attach.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/container_name.hpp"
#include "runtime/containers.hpp"
#include "runtime/detach.hpp"
#include "runtime/etc_files.hpp"
#include "runtime/events.hpp"
#include "runtime/image_sharing.hpp"
#include "runtime/labels.hpp"
#include "runtime/prepare.hpp"
#include "runtime/restart_rule.hpp"
#include "runtime/root_file_system.hpp"
#include "runtime/supervisor.hpp"
#include "runtime/volume_claims.hpp"
#include "sandbox/describe.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"
#include "sys/signal_fd.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kResolvConfMax = std::size_t{64} << 10U;
// As docker: not started, not executable, not found.
constexpr int kExitOurs = 125;
constexpr int kExitNotRunnable = 126;
constexpr int kExitNotFound = 127;

/// Docker makes what a --volume names and is not there.
Result<void> make_missing_sources(const sandbox::Plan& plan) {
  for (const sandbox::MountStep& step : plan.mounts) {
    if (step.make_source) {
      SBX_TRY(sys::make_dirs(step.source, 0755));
    }
  }
  return {};
}

Result<void> write_etc_files(const Prepared& prepared, const RunRequest& request,
                             const ContainerDir& container) {
  const std::string resolv =
      sys::read_file_at(AT_FDCWD, "/etc/resolv.conf", kResolvConfMax).value_or("");
  SBX_TRY(container.write_etc_file("hosts", hosts_text(request.network, prepared.plan.hostname)));
  SBX_TRY(container.write_etc_file("hostname", prepared.plan.hostname + "\n"));
  SBX_TRY(container.write_etc_file("resolv.conf", resolv_conf_text(request.network, resolv)));
  if (request.host_user) {
    const AccountFiles accounts = prepared.source.accounts();
    SBX_TRY(container.write_etc_file("passwd", passwd_with(accounts.passwd, prepared.invoker)));
    SBX_TRY(container.write_etc_file("group", group_with(accounts.group, prepared.invoker)));
  }
  return {};
}

/// A container that is about to run, and what it needs for that.
struct Start {
  Prepared& prepared;
  const RunRequest& request;
  const DataRoot& root;
  ContainerDir& container;
  bool fresh = true;  // new: not all of it is written, and nobody misses it if it does not start
  Timings* timings = nullptr;
};

Result<void> write_config(const Prepared& prepared, const RunRequest& request,
                          const ContainerDir& container) {
  Json config = oci::to_json(prepared.spec);
  config["sbx"] = to_json(SBX_TRY(to_store(prepared, request)));
  return container.write_config(dump_json(config));
}

VolumeClaims::Input claims_input(Prepared& prepared, const RunRequest& request, bool fresh) {
  return {prepared.source, prepared.ids, prepared.invoker, prepared.spec, prepared.data_root,
          prepared.id,     fresh,        !request.remove};
}

/// What the supervisor does until the command ends; `input` says how its streams go.
Result<int> supervise_in(const Start& start, SupervisorInput input, sys::Fd& user_namespace) {
  ImageSharing sharing =
      ImageSharing::begin({start.request, start.prepared.source, start.prepared.ids,
                           start.prepared.plan, start.prepared.invoker, start.prepared.data_root});
  input.shared = sharing.take();
  const bool shared = input.shared.has_value();
  input.prepare = [&](pid_t init) -> Result<std::unique_ptr<RootFileSystem>> {
    SBX_TRY(write_etc_files(start.prepared, start.request, start.container));
    if (start.fresh) {
      SBX_TRY(write_config(start.prepared, start.request, start.container));
    }
    SBX_TRY(start.container.write_running(SBX_TRY(sys::mark_process(init))));
    if (shared) {
      return std::unique_ptr<RootFileSystem>();
    }
    return RootFileSystem::make({start.prepared.source, start.prepared.ids, start.prepared.plan,
                                 start.prepared.invoker, start.container, start.request});
  };
  const HealthCheck check =
      merged_health(start.prepared.source.defaults().health, start.request.health);
  std::optional<HealthMonitor> health;
  if (!check.test.empty()) {
    health.emplace(HealthMonitor::Input{start.prepared.data_root, start.prepared.id, check,
                                        start.container.fd()});
    input.health = &*health;
  }
  input.interactive = start.request.interactive;
  input.remove = start.request.remove;
  input.tell_requests = start.request.fs_stats;
  input.unprivileged_id = start.prepared.ids.identities.maps.uids.front().outside;
  input.user_namespace = start.prepared.plan.overlay ? &user_namespace : nullptr;
  input.timings = start.timings;
  return supervise(std::move(input));
}

/// supervise_in(), with the volumes of the container.
Result<int> claim_and_supervise(const Start& start, SupervisorInput input,
                                sys::Fd& user_namespace) {
  SBX_TRY(make_missing_sources(start.prepared.plan));
  VolumeClaims claims;
  SBX_TRY(claims.take(claims_input(start.prepared, start.request, start.fresh)));
  return supervise_in(start, std::move(input), user_namespace);
}

/// That its command has ended, after so many seconds.
void tell_end(const Start& start, int exit_code) {
  ContainerState state = start.container.state();
  state.name = current_name(start.root.containers(), state.id, state.name);
  const std::int64_t began = parse_rfc3339(state.started).value_or(0);
  write_container_event(
      start.root.path(), state, "die",
      {{"exitCode", std::to_string(exit_code)},
       {"execDuration", std::to_string(std::max<std::int64_t>(0, ::time(nullptr) - began))}});
}

/// How a run ended.
struct RunEnd {
  Result<int> code;
  std::optional<std::chrono::milliseconds> pause;  // before it runs again
};

/// Runs it to its end, and keeps or removes what is left. An Error: that did not work.
Result<RunEnd> run_to_end(const Start& start, SupervisorInput input, RestartRule& rule) {
  if (start.request.remove) {
    SBX_TRY(start.container.mark_for_removal());
  }
  sys::Fd user_namespace;
  bool ran = false;
  bool told_to_end = false;
  input.on_running = [&ran, &start, tell = std::move(input.on_running)] {
    ran = true;
    write_container_event(start.root.path(), start.container.state(), "start");
    if (tell) {
      tell();
    }
  };
  input.on_end_wanted = [&told_to_end] { told_to_end = true; };
  const auto begin = std::chrono::steady_clock::now();
  RunEnd end{claim_and_supervise(start, std::move(input), user_namespace), {}};
  const bool started = end.code || ran || end.code.error().code == ErrorCode::kCommandNotFound ||
                       end.code.error().code == ErrorCode::kCommandNotRunnable;
  const int code = end.code ? *end.code : exit_code_of(end.code.error());
  if (ran) {
    tell_end(start, code);
  }
  if (ran && !told_to_end && !start.container.was_stopped()) {
    end.pause = rule.after_end(code, std::chrono::duration_cast<std::chrono::milliseconds>(
                                         std::chrono::steady_clock::now() - begin));
  }
  Result<void> kept;
  if (start.request.remove || (!started && start.fresh)) {
    (void)start.container.note_exit(code);  // the removal says if nothing can be written
    kept = start.container.remove(user_namespace.get());
    remove_own_volumes(start.prepared.data_root, start.container.state());
    write_container_event(start.root.path(), start.container.state(), "destroy");
  } else if (end.pause) {
    kept = start.container.write_restarting(code);
  } else {
    kept = start.container.write_exited(code, end.code ? "" : end.code.error().message());
  }
  if (end.code && !kept) {
    return fail(std::move(kept).error());
  }
  return end;
}

/// False if somebody wants us to end meanwhile.
Result<bool> pause_for(std::chrono::milliseconds pause) {
  const sys::SignalFd signals = SBX_TRY(sys::SignalFd::make());
  const auto end = std::chrono::steady_clock::now() + pause;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return true;
    }
    pollfd entry{signals.fd(), POLLIN, 0};
    (void)::poll(&entry, 1, static_cast<int>(left.count()));
    while (const int signal = signals.next()) {
      if (asks_for_end(signal)) {
        return false;
      }
    }
  }
}

using MakeInput = std::function<SupervisorInput(const Prepared&)>;

/// Runs it, again and again as its restart policy says. The exit code of the last time. `after_run` is called after each.
Result<int> run_with_restarts(const Start& start, const MakeInput& input,
                              const std::function<void()>& after_run) {
  RestartRule rule(start.request.restart);
  RunEnd end = SBX_TRY(run_to_end(start, input(start.prepared), rule));
  while (end.pause) {
    after_run();
    const bool again = SBX_TRY(pause_for(*end.pause)) && !start.container.was_stopped();
    if (!again) {
      const int code = end.code ? *end.code : exit_code_of(end.code.error());
      SBX_TRY(start.container.write_exited(code));
      break;
    }
    ContainerConfig config =
        SBX_TRY(read_container_config(start.prepared.data_root, start.prepared.id));
    Result<Prepared> next = prepare_again(config.stored, std::move(config.spec), start.prepared.id,
                                          start.prepared.data_root);
    if (!next) {
      SBX_TRY(start.container.write_exited(kExitOurs, next.error().message()));
      return fail(std::move(next).error());
    }
    end = SBX_TRY(run_to_end({*next, config.stored.request, start.root, start.container, false},
                             input(*next), rule));
  }
  return std::move(end.code);
}

Result<void> write_id_file(const std::string& path, const std::string& id) {
  constexpr mode_t kReadable = 0644;
  const sys::Fd file =
      SBX_TRY(sys::open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY, kReadable));
  return sys::write_full(file.get(), id, path);
}

/// A new container on disk, in the state kCreated.
Result<ContainerDir> make_container(const Prepared& prepared, const RunRequest& request,
                                    const DataRoot& root) {
  ContainerState state;
  state.id = prepared.id;
  state.name = request.name.value_or("");
  state.image = request.image;
  state.image_id = prepared.source.image_id();
  state.command = prepared.spec.process.args;
  state.health_checked =
      !merged_health(prepared.source.defaults().health, request.health).test.empty();
  state.restart = restart_word(request.restart.policy);
  state.labels = SBX_TRY(build_labels(request, prepared.source.defaults().labels));
  state.volumes = volumes_of(prepared.spec);
  state.remove = request.remove;
  state.chain = prepared.source.chain();
  state.kernel_overlay = prepared.plan.overlay.has_value();
  ContainerDir container = SBX_TRY(ContainerDir::create(root, std::move(state)));
  if (request.id_file) {
    if (Result<void> written = write_id_file(*request.id_file, prepared.id); !written) {
      (void)container.remove();  // the first failure is the one to tell
      return fail(std::move(written).error());
    }
  }
  write_container_event(root.path(), container.state(), "create");
  return container;
}

/// The container, ours alone; nullopt if it runs. Another command may have it for a moment, or be about to start or end it.
Result<std::optional<ContainerDir>> hold_unless_running(const DataRoot& root,
                                                        const std::string& id) {
  constexpr int kTries = 2000;
  constexpr timespec kPause{0, 5'000'000};
  for (int i = 0;; ++i) {
    Result<ContainerDir> held = ContainerDir::open(root, id);
    if (held) {
      return std::optional(std::move(held).value());
    }
    if (held.error().code != ErrorCode::kBusy || i == kTries) {
      return fail(std::move(held).error());
    }
    const Container now = SBX_TRY(read_container(root.path(), id));
    if (now.running() || now.restarting()) {
      return std::optional<ContainerDir>();
    }
    (void)::nanosleep(&kPause, nullptr);
  }
}

/// Who watches a container; without a socket (a file system that has none) nobody can attach to it later.
Attachments listen_for_attach(const ContainerDir& container) {
  Result<Attachments> listening = Attachments::listen(container.fd());
  if (!listening) {
    log::debug("{}", listening.error().message());
  }
  return listening ? std::move(listening).value() : Attachments();
}

/// In the background, from now on without a terminal. Comes back in the process that was called, once the command runs. `watched`:
/// by the caller from the beginning, who keeps `ours`; nullptr: not.
Result<void> run_in_background(const Start& start, sys::ChannelPair* watched) {
  Result<void> done = detach([&](const DetachedReady& ready) {
    std::optional<ContainerLog> log;
    if (start.request.log.driver == LogDriver::kJsonFile) {
      Result<ContainerLog> opened = ContainerLog::open(start.container.fd(), start.request.log);
      if (!opened) {
        ready(fail(std::move(opened).error()));
        return;
      }
      log.emplace(std::move(opened).value());
    }
    Attachments attachments = listen_for_attach(start.container);
    if (watched != nullptr) {
      watched->ours.reset();
      attachments.adopt(std::move(watched->theirs));
    }
    const auto make_input = [&](const Prepared& prepared) {
      SupervisorInput input{prepared.plan, nullptr, start.root};
      input.detached.emplace(
          DetachedStreams{log ? &*log : nullptr, &attachments, start.request.input_ends});
      input.on_running = [&] { ready({}); };
      return input;
    };
    const Result<int> code = run_with_restarts(start, make_input, [&] { attachments.hang_up(); });
    if (!code) {
      ready(fail(code.error()));
    }
  });
  if (watched != nullptr) {
    watched->theirs.reset();
  }
  return done;
}

/// A container that was created or has ended. False if it runs already.
Result<bool> start_again(const std::string& data_root, const std::string& id,
                         sys::ChannelPair* watched) {
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  std::optional<ContainerDir> container = SBX_TRY(hold_unless_running(root, id));
  if (!container) {
    return false;
  }
  ContainerConfig config = SBX_TRY(read_container_config(data_root, id));
  Prepared prepared = SBX_TRY(prepare_again(config.stored, std::move(config.spec), id, data_root));
  SBX_TRY(container->forget_restarts());
  SBX_TRY(run_in_background({prepared, config.stored.request, root, *container, false}, watched));
  return true;
}

}  // namespace

Result<Json> plan_only(const RunRequest& request) {
  RunRequest only_look = request;
  only_look.pull = PullPolicy::kNever;
  const Prepared prepared = SBX_TRY(prepare(only_look, true, nullptr));
  return Json{{"spec", oci::to_json(prepared.spec)}, {"plan", sandbox::describe(prepared.plan)}};
}

int exit_code_of(const Error& error) {
  return error.code == ErrorCode::kCommandNotFound      ? kExitNotFound
         : error.code == ErrorCode::kCommandNotRunnable ? kExitNotRunnable
                                                        : kExitOurs;
}

Result<int> run(const RunRequest& request) {
  sys::fill_standard_streams();
  Timings timings(now_ns());
  Timings* wanted = request.timings ? &timings : nullptr;
  Prepared prepared = SBX_TRY(prepare(request, false, wanted));
  const DataRoot root = SBX_TRY(DataRoot::open(prepared.data_root));
  ContainerDir container = SBX_TRY(make_container(prepared, request, root));
  if (wanted != nullptr) {
    wanted->mark("container made");
  }
  const auto make_input = [&](const Prepared& now) {
    return SupervisorInput{now.plan, nullptr, root};
  };
  Result<int> code =
      run_with_restarts({prepared, request, root, container, true, wanted}, make_input, [] {});
  if (wanted != nullptr) {
    timings.mark("container put away");
    std::fputs(timings.table().c_str(), stderr);
  }
  return code;
}

Result<std::string> create(const RunRequest& given) {
  RunRequest request = given;
  request.input_ends = true;  // who starts it with --attach --interactive is the one
  Prepared prepared = SBX_TRY(prepare(request, false, nullptr));
  const DataRoot root = SBX_TRY(DataRoot::open(prepared.data_root));
  ContainerDir container = SBX_TRY(make_container(prepared, request, root));
  VolumeClaims claims;  // until the container's state says what it uses
  Result<void> written = claims.take(claims_input(prepared, request, true));
  if (written) {
    written = write_config(prepared, request, container);
  }
  if (written) {
    written = container.write_created();
  }
  claims.release();
  if (!written) {
    (void)container.remove();  // the first failure is the one to tell
    remove_own_volumes(prepared.data_root, container.state());
    return fail(std::move(written).error());
  }
  return prepared.id;
}

Result<std::string> run_detached(const RunRequest& request) {
  sys::fill_standard_streams();
  SBX_TRY(sys::close_all_but({}));  // what we were given is not for a process that outlives us
  Prepared prepared = SBX_TRY(prepare(request, false, nullptr));
  const DataRoot root = SBX_TRY(DataRoot::open(prepared.data_root));
  ContainerDir container = SBX_TRY(make_container(prepared, request, root));
  SBX_TRY(run_in_background({prepared, request, root, container}, nullptr));
  return prepared.id;
}

Result<bool> start(const std::string& data_root, const std::string& id) {
  sys::fill_standard_streams();
  SBX_TRY(sys::close_all_but({}));  // as in run_detached
  return start_again(data_root, id, nullptr);
}

Result<int> start_attached(const std::string& data_root, const Container& container,
                           const AttachOptions& options) {
  sys::fill_standard_streams();
  SBX_TRY(sys::close_all_but({}));  // as in run_detached
  Attached attached = SBX_TRY(Attached::prepare(data_root, container, options));
  sys::ChannelPair watched = SBX_TRY(sys::make_channel());
  const bool started = SBX_TRY(start_again(data_root, container.state.id, &watched));
  return attached.run(started ? std::move(watched.ours) : SBX_TRY(attach_to(data_root, container)));
}

Result<bool> visit(const std::string& data_root, const std::string& id,
                   const std::function<void()>& body) {
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  const std::optional<ContainerDir> held = SBX_TRY(hold_unless_running(root, id));
  if (!held) {
    return false;
  }
  ContainerConfig config = SBX_TRY(read_container_config(data_root, id));
  Prepared prepared = SBX_TRY(prepare_again(config.stored, std::move(config.spec), id, data_root));
  const RunRequest& request = config.stored.request;
  sandbox::Plan& plan = prepared.plan;
  plan.network = plan.network == sandbox::Network::kHost ? plan.network : sandbox::Network::kNone;
  plan.terminal = false;
  plan.init = false;
  plan.command = {};
  if (plan.overlay) {
    plan.overlay->is_volatile = false;  // what is volatile is mounted once and never again
  }
  SBX_TRY(make_missing_sources(plan));
  SupervisorInput input{plan, nullptr, root};
  Attachments nobody;
  input.detached.emplace(DetachedStreams{nullptr, &nobody, false});
  input.instead = body;
  input.prepare = [&](pid_t /*init*/) -> Result<std::unique_ptr<RootFileSystem>> {
    if (!sys::exists_at(held->fd(), "etc/hosts")) {  // it has never run
      SBX_TRY(write_etc_files(prepared, request, *held));
    }
    return RootFileSystem::make(
        {prepared.source, prepared.ids, plan, prepared.invoker, *held, request});
  };
  const int code = SBX_TRY(supervise(std::move(input)));
  return code == 0 ? Result<bool>(true)
                   : fail(Error::make(ErrorCode::kSystem, "work in container", id.substr(0, 12),
                                      "the process there ended early"));
}

}  // namespace sbx::runtime
