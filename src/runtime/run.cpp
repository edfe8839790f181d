#include "runtime/run.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <optional>

#include "runtime/container_dir.hpp"
#include "runtime/containers.hpp"
#include "runtime/detach.hpp"
#include "runtime/etc_files.hpp"
#include "runtime/image_sharing.hpp"
#include "runtime/labels.hpp"
#include "runtime/prepare.hpp"
#include "runtime/root_file_system.hpp"
#include "runtime/supervisor.hpp"
#include "sandbox/describe.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"

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
    if (step.kind == sandbox::MountStep::Kind::kBind && step.source_is_directory) {
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

/// What the supervisor does until the command ends; `input` says how its streams go.
Result<int> supervise_in(const Start& start, SupervisorInput input, sys::Fd& user_namespace) {
  SBX_TRY(make_missing_sources(start.prepared.plan));
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
  input.interactive = start.request.interactive;
  input.remove = start.request.remove;
  input.tell_requests = start.request.fs_stats;
  input.unprivileged_id = start.prepared.ids.identities.maps.uids.front().outside;
  input.user_namespace = start.prepared.plan.overlay ? &user_namespace : nullptr;
  input.timings = start.timings;
  return supervise(std::move(input));
}

/// Runs it to its end, and keeps or removes what is left.
Result<int> run_to_end(const Start& start, SupervisorInput input) {
  if (start.request.remove) {
    SBX_TRY(start.container.mark_for_removal());
  }
  sys::Fd user_namespace;
  bool ran = false;
  input.on_running = [&ran, tell = std::move(input.on_running)] {
    ran = true;
    if (tell) {
      tell();
    }
  };
  Result<int> code = supervise_in(start, std::move(input), user_namespace);
  const bool started = code || ran || code.error().code == ErrorCode::kCommandNotFound ||
                       code.error().code == ErrorCode::kCommandNotRunnable;
  const int end = code ? *code : exit_code_of(code.error());
  Result<void> kept;
  if (start.request.remove || (!started && start.fresh)) {
    (void)start.container.note_exit(end);  // the removal says if nothing can be written
    kept = start.container.remove(user_namespace.get());
  } else {
    kept = start.container.write_exited(end, code ? "" : code.error().message());
  }
  if (code && !kept) {
    return fail(std::move(kept).error());
  }
  return code;
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
  state.labels = SBX_TRY(build_labels(request, prepared.source.defaults().labels));
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
    if (SBX_TRY(read_container(root.path(), id)).running()) {
      return std::optional<ContainerDir>();
    }
    (void)::nanosleep(&kPause, nullptr);
  }
}

/// In the background, from now on without a terminal. Comes back in the process that was called, once the command runs.
Result<void> run_in_background(const Start& start) {
  return detach([&](const DetachedReady& ready) {
    std::optional<ContainerLog> log;
    if (start.request.log.driver == LogDriver::kJsonFile) {
      Result<ContainerLog> opened = ContainerLog::open(start.container.fd(), start.request.log);
      if (!opened) {
        ready(fail(std::move(opened).error()));
        return;
      }
      log.emplace(std::move(opened).value());
    }
    SupervisorInput input{start.prepared.plan, nullptr, start.root};
    input.detached = true;
    input.log = log ? &*log : nullptr;
    input.on_running = [&] { ready({}); };
    const Result<int> code = run_to_end(start, std::move(input));
    if (!code) {
      ready(fail(code.error()));
    }
  });
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
  Result<int> code = run_to_end({prepared, request, root, container, true, wanted},
                                {prepared.plan, nullptr, root});
  if (wanted != nullptr) {
    timings.mark("container put away");
    std::fputs(timings.table().c_str(), stderr);
  }
  return code;
}

Result<std::string> create(const RunRequest& request) {
  const Prepared prepared = SBX_TRY(prepare(request, false, nullptr));
  const DataRoot root = SBX_TRY(DataRoot::open(prepared.data_root));
  ContainerDir container = SBX_TRY(make_container(prepared, request, root));
  Result<void> written = write_config(prepared, request, container);
  if (written) {
    written = container.write_created();
  }
  if (!written) {
    (void)container.remove();  // the first failure is the one to tell
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
  SBX_TRY(run_in_background({prepared, request, root, container}));
  return prepared.id;
}

Result<void> start(const std::string& data_root, const std::string& id) {
  sys::fill_standard_streams();
  SBX_TRY(sys::close_all_but({}));  // as in run_detached
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  std::optional<ContainerDir> held = SBX_TRY(hold_unless_running(root, id));
  if (!held) {
    return {};
  }
  ContainerDir& container = *held;
  ContainerConfig config = SBX_TRY(read_container_config(data_root, id));
  Prepared prepared = SBX_TRY(prepare_again(config.stored, std::move(config.spec), id, data_root));
  return run_in_background({prepared, config.stored.request, root, container, false});
}

}  // namespace sbx::runtime
