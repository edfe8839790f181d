#include "runtime/container_use.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/json.hpp"
#include "runtime/container_tree.hpp"
#include "sys/disk_usage.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxState = std::size_t{1} << 20U;

bool is_id(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// nullopt for what is being made or removed just now.
std::optional<ContainerUse> read_one(int containers, const std::string& id) {
  const Result<std::string> text = sys::read_file_at(containers, id + "/state.json", kMaxState);
  const Result<Json> state = text ? parse_json(*text, "state.json") : fail(text.error());
  if (!state) {
    return std::nullopt;
  }
  const auto word = [&](const char* key) {
    return find_string(*state, key).value_or(std::nullopt).value_or("");
  };
  ContainerUse out{id,
                   word("name"),
                   word("image"),
                   word("chain"),
                   word("changed"),
                   word("overlay") == "kernel",
                   false,
                   0};
  const auto lock =
      sys::FileLock::try_existing(containers, id + "/lock", sys::FileLock::Kind::kShared);
  out.running = lock && !lock->has_value();
  return out;
}

/// Without their sizes, in no order.
Result<std::vector<ContainerUse>> read_all(const std::string& data_root) {
  std::vector<ContainerUse> out;
  const Result<sys::Fd> dir =
      sys::open_at(AT_FDCWD, data_root + "/containers", O_RDONLY | O_DIRECTORY);
  if (!dir) {
    return dir.error().code == ErrorCode::kNotFound
               ? Result<std::vector<ContainerUse>>(std::move(out))
               : fail(dir.error());
  }
  for (const std::string& id : SBX_TRY(sys::list_dir(dir->get(), "."))) {
    if (std::optional<ContainerUse> one = is_id(id) ? read_one(dir->get(), id) : std::nullopt) {
      out.push_back(*std::move(one));
    }
  }
  return out;
}

}  // namespace

Result<std::vector<ContainerUse>> list_containers(const std::string& data_root) {
  std::vector<ContainerUse> out = SBX_TRY(read_all(data_root));
  for (ContainerUse& one : out) {
    one.bytes = SBX_TRY(sys::disk_usage(data_root + "/containers/" + one.id));
  }
  std::sort(out.begin(), out.end(),
            [](const ContainerUse& a, const ContainerUse& b) { return a.changed > b.changed; });
  return out;
}

Result<ContainerUse> find_container(const std::string& data_root, const std::string& query) {
  std::optional<ContainerUse> found;
  for (ContainerUse& one : SBX_TRY(read_all(data_root))) {
    if (one.name == query || one.id == query) {
      return std::move(one);
    }
    if (!query.empty() && one.id.starts_with(query)) {
      if (found) {
        return fail(Error::make(ErrorCode::kInvalidArgument, "find container", query,
                                "more than one id begins like that"));
      }
      found = std::move(one);
    }
  }
  return found ? Result<ContainerUse>(*std::move(found))
               : fail(Error::make(ErrorCode::kNotFound, "find container", query,
                                  "there is no such container")
                          .with_hint("'sbx system df --verbose' lists the containers"));
}

Result<std::vector<ContainerUse>> remove_containers(const std::string& data_root,
                                                    const std::vector<ContainerUse>& doomed) {
  std::vector<ContainerUse> out;
  if (doomed.empty()) {
    return out;
  }
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  for (const ContainerUse& one : doomed) {
    // Held until all is removed.
    const auto lock = sys::FileLock::try_existing(root.containers(), one.id + "/lock",
                                                  sys::FileLock::Kind::kExclusive);
    if (!lock || !lock->has_value()) {
      continue;  // it runs, or is gone
    }
    free_names_of(root.names(), one.id);
    SBX_TRY(remove_container_tree(root.containers(), one.id).context("removing a container"));
    out.push_back(one);
  }
  return out;
}

}  // namespace sbx::runtime
