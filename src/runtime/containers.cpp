#include "runtime/containers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <optional>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/similar.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/container_name.hpp"
#include "runtime/container_tree.hpp"
#include "runtime/events.hpp"
#include "runtime/health_monitor.hpp"
#include "runtime/pause.hpp"
#include "runtime/volumes.hpp"
#include "sys/disk_usage.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {
namespace {

// How often a container that is about to start or to end is looked at: there is nothing to watch then.
constexpr timespec kPause{0, 5'000'000};
constexpr int kSettleTries = 2000;  // ten seconds

bool is_id(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<Container> read_one(int containers, const std::string& id) {
  const std::string path = id + "/" + kStateFile;
  const std::string text = SBX_TRY(sys::read_file_at(containers, path, kStateLimits.bytes));
  Container out{SBX_TRY(container_state_from_json(SBX_TRY(parse_json(text, path, kStateLimits)))),
                sys::exists_at(containers, id + "/" + kStopMark), false};
  out.state.name = current_name(containers, id, out.state.name);
  const auto lock =
      sys::FileLock::try_existing(containers, id + "/lock", sys::FileLock::Kind::kShared);
  out.busy = lock && !lock->has_value();
  if (!out.busy && (out.state.status == ContainerStatus::kRunning ||
                    out.state.status == ContainerStatus::kRestarting)) {
    out.state.status = ContainerStatus::kExited;
    out.state.exit_code = kLostExitCode;
    out.state.error = "its supervisor was killed";
  }
  out.paused = out.running() && has_pause_mark(containers, out.state);
  return out;
}

Result<sys::Fd> open_containers(const std::string& data_root) {
  return sys::open_at(AT_FDCWD, data_root + "/containers", O_RDONLY | O_DIRECTORY);
}

/// In no order.
Result<std::vector<Container>> read_all(const std::string& data_root) {
  std::vector<Container> out;
  const Result<sys::Fd> dir = open_containers(data_root);
  if (!dir) {
    return dir.error().code == ErrorCode::kNotFound ? Result<std::vector<Container>>(std::move(out))
                                                    : fail(dir.error());
  }
  for (const std::string& id : SBX_TRY(sys::list_dir(dir->get(), "."))) {
    if (!is_id(id)) {
      continue;
    }
    if (Result<Container> one = read_one(dir->get(), id)) {
      out.push_back(std::move(one).value());
    } else if (one.error().code != ErrorCode::kNotFound) {
      log::warn("{}", one.error().message());
    }
  }
  return out;
}

Error no_such_container(const std::string& query, const std::string& similar = "") {
  return Error::make(ErrorCode::kNotFound, "find container", query, "there is no such container")
      .with_hint(similar.empty() ? "'sbx ps --all' lists the containers"
                                 : fmt::format("did you mean '{}'?", similar));
}

/// The name that somebody may have meant; empty: none is near.
std::string similar_name(const std::string& data_root, const std::string& query) {
  const Result<std::vector<std::string>> names = sys::list_dir(AT_FDCWD, data_root + "/names");
  if (!names) {
    return "";
  }
  const std::vector<std::string_view> known(names->begin(), names->end());
  return std::string(most_similar(query, known));
}

/// The id that a name stands for; nullopt: nobody's.
std::optional<std::string> id_of_name(const std::string& data_root, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) {
    return std::nullopt;
  }
  const Result<std::string> id = sys::read_link_at(AT_FDCWD, data_root + "/names/" + name);
  return id && is_id(*id) ? std::optional(*id) : std::nullopt;
}

}  // namespace

std::string_view status_word(const Container& container) {
  return container.paused ? "paused" : status_word(container.state.status);
}

Result<std::vector<Container>> list_containers(const std::string& data_root) {
  std::vector<Container> out = SBX_TRY(read_all(data_root));
  std::sort(out.begin(), out.end(), [](const Container& a, const Container& b) {
    return a.state.created > b.state.created;
  });
  return out;
}

Result<std::uint64_t> container_size(const std::string& data_root, const std::string& id) {
  return sys::disk_usage(data_root + "/containers/" + id);
}

Result<Container> read_container(const std::string& data_root, const std::string& id) {
  const Result<sys::Fd> dir = open_containers(data_root);
  Result<Container> found = dir ? read_one(dir->get(), id) : fail(dir.error());
  if (!found && found.error().code == ErrorCode::kNotFound) {
    return fail(no_such_container(id));
  }
  return found;
}

Result<Container> find_container(const std::string& data_root, const std::string& query) {
  if (is_id(query)) {
    return read_container(data_root, query);
  }
  const Result<sys::Fd> dir = open_containers(data_root);
  if (!dir) {
    return fail(dir.error().code == ErrorCode::kNotFound ? no_such_container(query) : dir.error());
  }
  if (const std::optional<std::string> id = id_of_name(data_root, query)) {
    if (Result<Container> found = read_one(dir->get(), *id); found && found->state.name == query) {
      return found;
    }
  }
  std::optional<Container> found;
  for (const std::string& id : SBX_TRY(sys::list_dir(dir->get(), "."))) {
    if (query.empty() || !is_id(id) || !id.starts_with(query)) {
      continue;
    }
    Result<Container> one = read_one(dir->get(), id);
    if (!one && one.error().code == ErrorCode::kNotFound) {
      continue;  // it comes or goes just now
    }
    if (found) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "find container", query,
                              "more than one id begins like that"));
    }
    found = SBX_TRY(std::move(one));
  }
  return found ? Result<Container>(*std::move(found))
               : fail(no_such_container(query, similar_name(data_root, query)));
}

Result<Container> settled(const std::string& data_root, Container container) {
  for (int i = 0;
       i < kSettleTries && container.busy && !container.running() && !container.restarting(); ++i) {
    (void)::nanosleep(&kPause, nullptr);
    container = SBX_TRY(read_container(data_root, container.state.id));
  }
  return container;
}

Result<ContainerConfig> read_container_config(const std::string& data_root, const std::string& id) {
  const std::string path = data_root + "/containers/" + id + "/config.json";
  const Json config = SBX_TRY(parse_json(
      SBX_TRY(sys::read_file_at(AT_FDCWD, path, kStateLimits.bytes)), path, kStateLimits));
  const Json* const ours = SBX_TRY(find_object(config, "sbx"));
  if (ours == nullptr) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", path, "the member 'sbx' is missing"));
  }
  return ContainerConfig{SBX_TRY(oci::runtime_spec_from_json(config)),
                         SBX_TRY(stored_request_from_json(*ours))};
}

Result<std::optional<Json>> read_health(const std::string& data_root, const Container& container) {
  if (!container.state.health_checked || !container.running()) {
    return std::optional<Json>();
  }
  const std::string path = data_root + "/containers/" + container.state.id + "/" + kHealthFile;
  const Result<std::string> text = sys::read_file_at(AT_FDCWD, path, kStateLimits.bytes);
  if (!text) {  // its command does not run yet
    return std::optional<Json>(
        Json{{"Status", "starting"}, {"FailingStreak", 0}, {"Log", nullptr}});
  }
  return std::optional<Json>(SBX_TRY(parse_json(*text, path)));
}

Result<std::vector<Container>> remove_containers(const std::string& data_root,
                                                 const std::vector<Container>& doomed,
                                                 bool volumes) {
  std::vector<Container> out;
  if (doomed.empty()) {
    return out;
  }
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  for (const Container& one : doomed) {
    const std::string& id = one.state.id;
    // Held until all is removed.
    auto lock = sys::FileLock::try_existing(root.containers(), id + "/lock",
                                            sys::FileLock::Kind::kExclusive);
    if (!lock || !lock->has_value()) {
      continue;  // it runs, or is gone
    }
    const bool take_volumes = volumes || one.state.remove;
    if (!take_volumes) {
      keep_own_volumes(data_root, one.state);
    }
    free_names_of(root.names(), id);
    SBX_TRY(remove_container_tree(root.containers(), id, *lock).context("removing a container"));
    if (take_volumes) {
      remove_own_volumes(data_root, one.state);
    }
    write_container_event(data_root, one.state, "destroy");
    out.push_back(one);
  }
  return out;
}

}  // namespace sbx::runtime
