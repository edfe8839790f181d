#include "runtime/run.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>

#include "net/address_plan.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/etc_files.hpp"
#include "runtime/identity.hpp"
#include "runtime/overlay_engine.hpp"
#include "runtime/planner.hpp"
#include "runtime/root_file_system.hpp"
#include "runtime/root_source.hpp"
#include "runtime/spec_builder.hpp"
#include "runtime/supervisor.hpp"
#include "sandbox/describe.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kIdBytes = 32;
constexpr std::size_t kResolvConfMax = std::size_t{64} << 10U;
// Docker's grammar for container names; a name is also a file name.
constexpr std::size_t kNameMax = 128;

Result<void> check_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const bool first_good = !name.empty() && good(name.front()) && name.front() != '_' &&
                          name.front() != '.' && name.front() != '-';
  if (!first_good || name.size() > kNameMax || !std::all_of(name.begin(), name.end(), good)) {
    return fail(Error::make(
        ErrorCode::kInvalidArgument, "use the name", name,
        fmt::format("names are [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most {} characters", kNameMax)));
  }
  return {};
}

/// RFC 1123 as the kernel takes it: 64 bytes at most (__NEW_UTS_LEN).
Result<void> check_hostname(const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= 64 && name.find_first_of("/ \n\t") == std::string::npos;
  if (!good) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use the host name", name,
                            "it must be 1 to 64 characters"));
  }
  return {};
}

/// Everything known before anything is made.
struct Prepared {
  sys::Invoker invoker;
  std::string data_root;
  std::string id;
  IdChoice ids;
  RootSource source;
  oci::RuntimeSpec spec;
  sandbox::Plan plan;
};

std::string container_path(const Prepared& prepared) {
  return prepared.data_root + "/containers/" + prepared.id;
}

bool wants_init(const RunRequest& request, const oci::RuntimeSpec& spec) {
  return request.init.value_or(!is_init_program(spec.process.args.front()));
}

/// Puts the candidate first that the image says is there: each wrong guess of execve costs a message to the file
/// system process. Only where nothing else can stand in the way.
void prefer_known_command(const RootSource& source, const RunRequest& request,
                          sandbox::Plan& plan) {
  if (!request.volumes.empty() || !request.tmpfs.empty()) {
    return;
  }
  auto& candidates = plan.command.candidates;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].starts_with('/')) {
      return;
    }
    if (source.is_executable(candidates[i]).value_or(false)) {
      std::rotate(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(i),
                  candidates.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return;
    }
  }
}

/// `look_only`: nothing is changed on disk.
Result<Prepared> prepare(const RunRequest& request, bool look_only, Timings* timings) {
  if (request.name) {
    SBX_TRY(check_name(*request.name));
  }
  if (request.hostname) {
    SBX_TRY(check_hostname(*request.hostname));
  }
  const sys::Invoker invoker = sys::invoker();
  std::string data_root = request.root.empty() ? SBX_TRY(sys::data_root(invoker)) : request.root;
  if (!data_root.starts_with('/')) {
    data_root = SBX_TRY(sys::current_directory()) + "/" + data_root;
  }
  const IdFacts facts = SBX_TRY(find_id_facts(invoker, request.user_namespace));
  IdChoice ids = SBX_TRY(plan_identities(facts, request.user_namespace, request.kept_ids));
  RootSource source = SBX_TRY(RootSource::open(request, data_root));
  if (timings != nullptr) {
    timings->mark("image opened");
  }
  Prepared prepared{
      invoker, data_root, SBX_TRY(sys::random_hex(kIdBytes)), std::move(ids), std::move(source),
      {},      {}};
  AccountFiles accounts = prepared.source.accounts();
  if (request.host_user) {
    accounts.passwd = passwd_with(std::move(accounts.passwd), invoker);
    accounts.group = group_with(std::move(accounts.group), invoker);
  }
  prepared.spec = SBX_TRY(build_spec({request, prepared.source.defaults(), accounts, prepared.ids,
                                      invoker, prepared.id, container_path(prepared) + "/etc",
                                      prepared.source.kind() == RootSource::Kind::kHost}));
  prepared.plan = SBX_TRY(make_plan({prepared.spec, prepared.ids, request.network, prepared.id,
                                     container_path(prepared), container_path(prepared) + "/etc",
                                     wants_init(request, prepared.spec)}));
  prepared.plan.overlay =
      SBX_TRY(choose_engine({request, prepared.source, prepared.ids, prepared.data_root,
                             container_path(prepared), !look_only}));
  prepared.plan.tap = net::tap_config({}, true);
  prepared.plan.title = sys::ProcessTitle::find();
  prefer_known_command(prepared.source, request, prepared.plan);
  return prepared;
}

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

Result<int> run_in(Prepared& prepared, const RunRequest& request, const DataRoot& root,
                   ContainerDir& container, sys::Fd& user_namespace, Timings* timings) {
  SBX_TRY(make_missing_sources(prepared.plan));
  SupervisorInput input{prepared.plan, nullptr, root};
  input.prepare = [&]() -> Result<std::unique_ptr<RootFileSystem>> {
    SBX_TRY(write_etc_files(prepared, request, container));
    SBX_TRY(container.write_config(dump_json(oci::to_json(prepared.spec))));
    SBX_TRY(container.write_running(::getpid()));
    return RootFileSystem::make(
        {prepared.source, prepared.ids, prepared.plan, prepared.invoker, container, request});
  };
  input.interactive = request.interactive;
  input.remove = request.remove;
  input.tell_requests = request.fs_stats;
  input.unprivileged_id = prepared.ids.identities.maps.uids.front().outside;
  input.user_namespace = prepared.plan.overlay ? &user_namespace : nullptr;
  input.timings = timings;
  return supervise(std::move(input));
}

}  // namespace

Result<Json> plan_only(const RunRequest& request) {
  RunRequest only_look = request;
  only_look.pull = PullPolicy::kNever;
  const Prepared prepared = SBX_TRY(prepare(only_look, true, nullptr));
  return Json{{"spec", oci::to_json(prepared.spec)}, {"plan", sandbox::describe(prepared.plan)}};
}

Result<int> run(const RunRequest& request) {
  sys::fill_standard_streams();
  Timings timings(now_ns());
  Timings* wanted = request.timings ? &timings : nullptr;
  Prepared prepared = SBX_TRY(prepare(request, false, wanted));
  const DataRoot root = SBX_TRY(DataRoot::open(prepared.data_root));
  ContainerDir container = SBX_TRY(ContainerDir::create(
      root, {prepared.id, request.name.value_or(""), request.image, prepared.spec.process.args,
             request.remove, prepared.source.chain(), prepared.plan.overlay.has_value()}));
  if (wanted != nullptr) {
    wanted->mark("container made");
  }
  sys::Fd user_namespace;
  Result<int> code = run_in(prepared, request, root, container, user_namespace, wanted);
  // A container that never started is of no use to anybody.
  const bool started = code || code.error().code == ErrorCode::kCommandNotFound ||
                       code.error().code == ErrorCode::kCommandNotRunnable;
  Result<void> kept = request.remove || !started ? container.remove(user_namespace.get())
                                                 : container.write_exited(code ? *code : 127);
  if (wanted != nullptr) {
    timings.mark("container put away");
    std::fputs(timings.table().c_str(), stderr);
  }
  if (code && !kept) {
    return fail(std::move(kept).error());
  }
  return code;
}

}  // namespace sbx::runtime
