#include "runtime/stored_request.hpp"

#include <array>

#include "runtime/health.hpp"

namespace sbx::runtime {
namespace {

template <class T, std::size_t N>
using Words = std::array<std::pair<T, std::string_view>, N>;

constexpr Words<NetworkMode, 3> kNetworks{
    {{NetworkMode::kSlirp, "slirp"}, {NetworkMode::kNone, "none"}, {NetworkMode::kHost, "host"}}};
constexpr Words<UserNamespaceMode, 4> kUserNamespaces{{{UserNamespaceMode::kAuto, "auto"},
                                                       {UserNamespaceMode::kFull, "full"},
                                                       {UserNamespaceMode::kSingle, "single"},
                                                       {UserNamespaceMode::kKeepId, "keep-id"}}};
constexpr Words<RestartPolicy, 4> kRestarts{{{RestartPolicy::kNo, "no"},
                                             {RestartPolicy::kOnFailure, "on-failure"},
                                             {RestartPolicy::kAlways, "always"},
                                             {RestartPolicy::kUnlessStopped, "unless-stopped"}}};
constexpr Words<OverlayEngine, 3> kEngines{{{OverlayEngine::kAuto, "auto"},
                                            {OverlayEngine::kFuse, "fuse"},
                                            {OverlayEngine::kKernel, "kernel"}}};

template <class T, std::size_t N>
std::string_view word_of(const Words<T, N>& words, T value) {
  for (const auto& [one, word] : words) {
    if (one == value) {
      return word;
    }
  }
  return "";
}

Error corrupt(std::string_view key) {
  return Error::make(ErrorCode::kCorrupt, "read config.json", "sbx." + std::string(key),
                     "this version of sbx does not understand it");
}

template <class T, std::size_t N>
Result<T> read_word(const Words<T, N>& words, const Json& object, std::string_view key) {
  const std::string found = SBX_TRY(find_string(object, key)).value_or("");
  for (const auto& [value, word] : words) {
    if (found == word) {
      return value;
    }
  }
  return fail(corrupt(key));
}

Result<std::uint64_t> read_number(const Json& object, std::string_view key) {
  const std::int64_t value = SBX_TRY(find_integer(object, key)).value_or(0);
  return value >= 0 ? Result<std::uint64_t>(static_cast<std::uint64_t>(value)) : fail(corrupt(key));
}

Result<std::optional<std::uint32_t>> read_id(const Json& object, std::string_view key) {
  const std::optional<std::int64_t> value = SBX_TRY(find_integer(object, key));
  if (value && (*value < 0 || *value >= UINT32_MAX)) {
    return fail(corrupt(key));
  }
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

Result<bool> read_flag(const Json& object, std::string_view key) {
  return SBX_TRY(find_bool(object, key)).value_or(false);
}

}  // namespace

std::string_view restart_word(RestartPolicy policy) { return word_of(kRestarts, policy); }

Json to_json(const StoredRequest& stored) {
  const RunRequest& request = stored.request;
  Json out{{"image", request.image},
           {"network", word_of(kNetworks, request.network)},
           {"userNamespace", word_of(kUserNamespaces, request.user_namespace)},
           {"overlay", word_of(kEngines, request.overlay)},
           {"storageBytes", request.storage.bytes},
           {"storageFiles", request.storage.files},
           {"acls", request.acls},
           {"interactive", request.interactive},
           {"inputEnds", request.input_ends},
           {"hostUser", request.host_user},
           {"autoRemove", request.remove},
           {"logged", request.log.driver == LogDriver::kJsonFile},
           {"logMaxSize", request.log.max_size},
           {"logMaxFiles", request.log.max_files},
           {"stopSignal", request.stop_signal.value_or("")},
           {"stopTimeout", request.stop_timeout},
           {"restart", word_of(kRestarts, request.restart.policy)},
           {"restartMost", request.restart.most},
           {"health", to_json(request.health)},
           {"init", stored.init},
           {"entryPoint", stored.entry_point},
           {"command", stored.command},
           {"user", stored.user}};
  if (request.kept_ids.uid) {
    out["keptUid"] = *request.kept_ids.uid;
  }
  if (request.kept_ids.gid) {
    out["keptGid"] = *request.kept_ids.gid;
  }
  return out;
}

Result<StoredRequest> stored_request_from_json(const Json& object) {
  StoredRequest out;
  RunRequest& request = out.request;
  request.image = SBX_TRY(find_string(object, "image")).value_or("");
  request.network = SBX_TRY(read_word(kNetworks, object, "network"));
  request.user_namespace = SBX_TRY(read_word(kUserNamespaces, object, "userNamespace"));
  request.kept_ids = {SBX_TRY(read_id(object, "keptUid")), SBX_TRY(read_id(object, "keptGid"))};
  request.overlay = SBX_TRY(read_word(kEngines, object, "overlay"));
  request.storage.bytes = SBX_TRY(read_number(object, "storageBytes"));
  request.storage.files = SBX_TRY(read_number(object, "storageFiles"));
  request.acls = SBX_TRY(read_flag(object, "acls"));
  request.interactive = SBX_TRY(read_flag(object, "interactive"));
  request.input_ends = SBX_TRY(read_flag(object, "inputEnds"));
  request.host_user = SBX_TRY(read_flag(object, "hostUser"));
  request.remove = SBX_TRY(read_flag(object, "autoRemove"));
  request.log.driver =
      SBX_TRY(read_flag(object, "logged")) ? LogDriver::kJsonFile : LogDriver::kNone;
  request.log.max_size = SBX_TRY(read_number(object, "logMaxSize"));
  request.log.max_files = static_cast<unsigned>(SBX_TRY(read_number(object, "logMaxFiles")));
  const std::string stop = SBX_TRY(find_string(object, "stopSignal")).value_or("");
  request.stop_signal = stop.empty() ? std::nullopt : std::optional(stop);
  request.stop_timeout = static_cast<int>(SBX_TRY(find_integer(object, "stopTimeout")).value_or(0));
  request.restart = {SBX_TRY(read_word(kRestarts, object, "restart")),
                     static_cast<unsigned>(SBX_TRY(read_number(object, "restartMost")))};
  if (const Json* health = SBX_TRY(find_object(object, "health"))) {
    request.health = SBX_TRY(health_check_from_json(*health));
  }
  request.pull = PullPolicy::kNever;
  out.init = SBX_TRY(read_flag(object, "init"));
  out.entry_point = SBX_TRY(find_strings(object, "entryPoint"));
  out.command = SBX_TRY(find_strings(object, "command"));
  out.user = SBX_TRY(find_string(object, "user")).value_or("");
  return out;
}

}  // namespace sbx::runtime
