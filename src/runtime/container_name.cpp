#include "runtime/container_name.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/container_tree.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kNameMax = 128;
constexpr mode_t kPrivateFile = 0600;
constexpr const char* kNameFile = "/name";

/// What the container says that it is called; nullopt if it says nothing yet, or any more.
std::optional<std::string> own_name(int containers, const std::string& id) {
  const Result<std::string> text =
      sys::read_file_at(containers, id + "/" + kStateFile, kStateLimits.bytes);
  const Result<Json> json = text ? parse_json(*text, kStateFile, kStateLimits) : fail(text.error());
  const Result<ContainerState> state = json ? container_state_from_json(*json) : fail(json.error());
  return state ? std::optional(current_name(containers, id, state->name)) : std::nullopt;
}

/// Removes a link that leads to a container of another name. Whoever renames that one has its lock, and may be about to say so.
bool free_stale_name(int containers, int names, const std::string& name) {
  const Result<std::string> owner = sys::read_link_at(names, name);
  if (!owner) {
    return owner.error().code == ErrorCode::kNotFound;
  }
  if (!sys::exists_at(containers, *owner)) {  // the directory comes first and goes last
    return static_cast<bool>(sys::unlink_at(names, name));
  }
  const auto lock = sys::FileLock::try_acquire(containers, *owner + "/" + kChangeLock,
                                               sys::FileLock::Kind::kExclusive);
  const std::optional<std::string> called = own_name(containers, *owner);
  return lock && *lock && called && *called != name &&
         static_cast<bool>(sys::unlink_at(names, name));
}

Error taken(const std::string& name) {
  return Error::make(ErrorCode::kAlreadyExists, "name the container", name,
                     "another container has this name")
      .with_hint(fmt::format("take another name, or remove that container: sbx rm {}", name));
}

}  // namespace

Result<void> check_container_name(const std::string& name) {
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

Result<void> claim_name(int containers, int names, const std::string& name, const std::string& id) {
  Result<void> claimed = sys::symlink_at(id, names, name);
  if (!claimed && claimed.error().code == ErrorCode::kAlreadyExists &&
      free_stale_name(containers, names, name)) {
    claimed = sys::symlink_at(id, names, name);
  }
  return claimed || claimed.error().code != ErrorCode::kAlreadyExists ? claimed : fail(taken(name));
}

std::string current_name(int containers, const std::string& id, const std::string& stated) {
  return sys::read_file_at(containers, id + kNameFile, kNameMax).value_or(stated);
}

Result<void> rename_container(const std::string& data_root, const std::string& id,
                              const std::string& new_name) {
  SBX_TRY(check_container_name(new_name));
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  const sys::FileLock lock = SBX_TRY(sys::FileLock::acquire(
      root.containers(), id + "/" + kChangeLock, sys::FileLock::Kind::kExclusive));
  const std::optional<std::string> old = own_name(root.containers(), id);
  if (!old) {
    return fail(Error::make(ErrorCode::kNotFound, "rename container", id, "it is gone"));
  }
  if (*old == new_name) {
    return fail(Error::make(ErrorCode::kAlreadyExists, "rename container", new_name,
                            "it has that name already"));
  }
  SBX_TRY(claim_name(root.containers(), root.names(), new_name, id));
  Result<void> written = sys::write_file_at(root.containers(), id + kNameFile, new_name,
                                            kPrivateFile, sys::Durability::kSynced);
  free_name(root.names(), id, written ? *old : new_name);
  return written;
}

}  // namespace sbx::runtime
