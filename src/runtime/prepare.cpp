#include "runtime/prepare.hpp"
#include "runtime/health.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <algorithm>

#include "net/address_plan.hpp"
#include "runtime/container_name.hpp"
#include "runtime/etc_files.hpp"
#include "runtime/lifecycle.hpp"
#include "runtime/mount_options.hpp"
#include "runtime/overlay_engine.hpp"
#include "runtime/planner.hpp"
#include "runtime/settings.hpp"
#include "runtime/spec_builder.hpp"
#include "runtime/volumes_from.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kIdBytes = 32;

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

/// Whether something may be mounted where programs lie.
bool has_user_mounts(const oci::RuntimeSpec& spec) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [](const oci::SpecMount& mount) {
    return has_word(mount, mount_word::kUser);
  });
}

/// Volumes without a name get one that nobody else has.
Result<void> name_volumes(oci::RuntimeSpec& spec) {
  for (oci::SpecMount& mount : spec.mounts) {
    if (mount.type == kVolumeType && mount.source.empty()) {
      mount.source = SBX_TRY(sys::random_hex(kIdBytes));
      mount.options.emplace_back(mount_word::kAnonymous);
    }
  }
  return {};
}

bool wants_init(const RunRequest& request, const oci::RuntimeSpec& spec) {
  return request.init.value_or(!is_init_program(spec.process.args.front()));
}

/// Puts the candidate first that the image says is there: each wrong guess of execve costs a message to the file
/// system process. Only where nothing else can stand in the way.
void prefer_known_command(const RootSource& source, const oci::RuntimeSpec& spec,
                          sandbox::Plan& plan) {
  if (has_user_mounts(spec)) {
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

/// Where only the one who mounted it may look, whatever modes say: a FUSE file system (sshfs), if it has no allow_other;
/// fuse(4). Which have is not asked.
bool closed_to_others(const std::string& path) {
  struct statfs system {};
  return ::statfs(path.c_str(), &system) == 0 && system.f_type == FUSE_SUPER_MAGIC;
}

/// The plan, and what else follows from request, specification and source.
Result<void> complete(Prepared& prepared, const RunRequest& request, bool look_only) {
  const std::string container = container_path(prepared);
  prepared.plan = SBX_TRY(make_plan({prepared.spec, prepared.ids, request.network, prepared.id,
                                     container, prepared.data_root + "/volumes", container + "/etc",
                                     prepared.init, closed_to_others(prepared.data_root)}));
  prepared.plan.overlay = SBX_TRY(choose_engine(
      {request, prepared.source, prepared.ids, prepared.data_root, container, !look_only}));
  prepared.plan.tap = net::tap_config({}, true);
  prepared.plan.title = sys::ProcessTitle::find();
  return {};
}

}  // namespace

std::string container_path(const Prepared& prepared) {
  return prepared.data_root + "/containers/" + prepared.id;
}

Result<Prepared> prepare(const RunRequest& request, bool look_only, Timings* timings) {
  if (request.name) {
    SBX_TRY(check_container_name(*request.name));
  }
  if (request.hostname) {
    SBX_TRY(check_hostname(*request.hostname));
  }
  if (request.stop_signal) {
    (void)SBX_TRY(parse_signal(*request.stop_signal));
  }
  const sys::Invoker invoker = sys::invoker();
  std::string data_root = SBX_TRY(data_root_of(request.root));
  const IdFacts facts = SBX_TRY(find_id_facts(invoker, request.user_namespace));
  IdChoice ids = SBX_TRY(plan_identities(facts, request.user_namespace, request.kept_ids));
  RootSource source = SBX_TRY(RootSource::open(request, data_root));
  if (timings != nullptr) {
    timings->mark("image opened");
  }
  Prepared prepared{invoker,
                    std::move(data_root),
                    SBX_TRY(sys::random_hex(kIdBytes)),
                    std::move(ids),
                    std::move(source),
                    {},
                    {},
                    true};
  AccountFiles accounts = prepared.source.accounts();
  if (request.host_user) {
    accounts.passwd = passwd_with(std::move(accounts.passwd), invoker);
    accounts.group = group_with(std::move(accounts.group), invoker);
  }
  prepared.spec =
      SBX_TRY(build_spec({request, prepared.source.defaults(), accounts, prepared.ids, invoker,
                          prepared.id, container_path(prepared) + "/etc",
                          SBX_TRY(mounts_of_others(prepared.data_root, request.volumes_from)),
                          prepared.source.kind() == RootSource::Kind::kHost}));
  SBX_TRY(name_volumes(prepared.spec));
  prepared.init = wants_init(request, prepared.spec);
  SBX_TRY(complete(prepared, request, look_only));
  prefer_known_command(prepared.source, prepared.spec, prepared.plan);
  return prepared;
}

Result<StoredRequest> to_store(const Prepared& prepared, const RunRequest& request) {
  const ImageDefaults& image = prepared.source.defaults();
  CommandWords words = command_words(request, image);
  StoredRequest out{request, prepared.init, std::move(words.entry_point), std::move(words.command),
                    request.user.value_or(image.user)};
  out.request.overlay = prepared.plan.overlay ? OverlayEngine::kKernel : OverlayEngine::kFuse;
  if (!prepared.source.image_id().empty()) {
    out.request.image = prepared.source.image_id();  // its name may lead elsewhere by then
  } else if (const std::size_t colon = request.image.find(':');
             prepared.source.kind() != RootSource::Kind::kHost) {
    const bool prefixed = colon != std::string::npos && !request.image.starts_with('/');
    const std::size_t path = prefixed ? colon + 1 : 0;
    out.request.image =
        request.image.substr(0, path) + SBX_TRY(sys::absolute_path(request.image.substr(path)));
  }
  out.request.health = merged_health(image.health, request.health);
  if (out.request.health.test.empty()) {
    out.request.health.test = {"NONE"};
  }
  if (!out.request.stop_signal && !image.stop_signal.empty()) {
    out.request.stop_signal = image.stop_signal;
  }
  return out;
}

Result<Prepared> prepare_again(const StoredRequest& stored, oci::RuntimeSpec spec,
                               const std::string& id, const std::string& data_root) {
  const sys::Invoker invoker = sys::invoker();
  const RunRequest& request = stored.request;
  const IdFacts facts = SBX_TRY(find_id_facts(invoker, request.user_namespace));
  IdChoice ids = SBX_TRY(plan_identities(facts, request.user_namespace, request.kept_ids));
  RootSource source = SBX_TRY(RootSource::open(request, data_root));
  Prepared prepared{invoker,           data_root,       id, std::move(ids),
                    std::move(source), std::move(spec), {}, stored.init};
  SBX_TRY(complete(prepared, request, false));
  return prepared;
}

}  // namespace sbx::runtime
