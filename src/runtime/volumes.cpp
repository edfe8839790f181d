#include "runtime/volumes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "runtime/container_tree.hpp"
#include "runtime/identity.hpp"
#include "runtime/mount_options.hpp"
#include "sys/disk_usage.hpp"
#include "sys/file.hpp"
#include "sys/user_namespace.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kFolder = "/volumes";
constexpr const char* kLock = "lock";
constexpr const char* kRecord = "volume.json";
constexpr const char* kData = "_data";
constexpr const char* kOwner = "owner";
constexpr const char* kUnused = "unused";
constexpr std::string_view kNewPrefix = ".new-";
constexpr std::string_view kOldPrefix = ".old-";
constexpr std::size_t kSuffixBytes = 8;
// Labels are the user's; docker sets no limit.
constexpr std::size_t kMaxRecord = std::size_t{1} << 20U;
constexpr mode_t kPrivateDir = 0700;
constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kDataMode = 0755;
// Between mkdir and the lock a new one is without; nobody needs longer for that.
constexpr time_t kBirthSeconds = 10;
// Others have a volume for some milliseconds: to look at it, or until the state of their container says that they use it.
constexpr timespec kPause{0, 5'000'000};
constexpr int kTries = 2000;  // ten seconds

Error no_such_volume(const std::string& name) {
  return Error::make(ErrorCode::kNotFound, "find volume", name, "there is no such volume")
      .with_hint("'sbx volume ls' lists the volumes");
}

std::string inside(const std::string& name, const char* file) { return name + "/" + file; }

std::string display_name(const ContainerState& state) {
  return state.name.empty() ? state.id.substr(0, 12) : state.name;
}

/// What a volume consists of, in a folder that nobody knows yet.
Result<void> write_parts(int dir, const VolumeRecord& record, const std::string& owner) {
  SBX_TRY(sys::make_dir_at(dir, kData, kDataMode));
  if (!owner.empty()) {
    SBX_TRY(sys::symlink_at(owner, dir, kOwner));
  }
  (void)SBX_TRY(sys::open_at(dir, kUnused, O_WRONLY | O_CREAT | O_EXCL, kPrivateFile));
  return sys::write_file_at(dir, kRecord, dump_json(to_json(record)), kPrivateFile,
                            sys::Durability::kSynced);
}

}  // namespace

Result<VolumeStore> VolumeStore::open(const std::string& data_root) {
  VolumeStore store;
  store.data_root_ = data_root;
  const std::string path = data_root + kFolder;
  SBX_TRY(sys::make_dirs(path, kPrivateDir));
  store.folder_ = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  return store;
}

std::string VolumeStore::data_path(const std::string& name) const {
  return data_root_ + kFolder + "/" + inside(name, kData);
}

Result<bool> VolumeStore::create(const VolumeRecord& record, const std::string& owner) const {
  SBX_TRY(check_volume_name(record.name));
  if (sys::exists_at(fd(), record.name)) {
    return false;
  }
  const std::string aside = std::string(kNewPrefix) + SBX_TRY(sys::random_hex(kSuffixBytes));
  SBX_TRY(sys::make_dir_at(fd(), aside, kPrivateDir));
  const sys::Fd dir = SBX_TRY(sys::open_at(fd(), aside, O_RDONLY | O_DIRECTORY));
  std::optional<sys::FileLock> lock =
      SBX_TRY(sys::FileLock::acquire(dir.get(), kLock, sys::FileLock::Kind::kExclusive));
  VolumeRecord complete = record;
  complete.created = now_rfc3339();
  Result<void> made = write_parts(dir.get(), complete, owner);
  if (made) {
    made = sys::rename_at(fd(), aside, fd(), record.name);
  }
  if (made) {
    SBX_TRY(sys::sync_fd(fd(), "volumes"));
    return true;
  }
  (void)remove_container_tree(fd(), aside, lock);  // the first failure is the one to tell
  // A folder that is not empty is not replaced: another command was faster.
  const int why = made.error().sys_errno;
  return why == EEXIST || why == ENOTEMPTY ? Result<bool>(false) : fail(std::move(made).error());
}

Result<VolumeRecord> VolumeStore::read(const std::string& name) const {
  SBX_TRY(check_volume_name(name));
  const std::string path = inside(name, kRecord);
  const Result<std::string> text = sys::read_file_at(fd(), path, kMaxRecord);
  VolumeRecord record;
  if (text) {
    record = SBX_TRY(volume_record_from_json(SBX_TRY(parse_json(*text, path))));
  } else if (text.error().code != ErrorCode::kNotFound ||
             !sys::exists_at(fd(), inside(name, kData))) {
    return fail(text.error().code == ErrorCode::kNotFound ? no_such_volume(name) : text.error());
  }  // else somebody has removed what could be removed: it can still be used, and removed
  record.name = name;  // where it lies is what it is called
  return record;
}

Result<VolumeRecord> VolumeStore::find(const std::string& query) const {
  if (sys::exists_at(fd(), inside(query, kData))) {
    return read(query);
  }
  std::optional<std::string> found;
  for (const std::string& name : SBX_TRY(sys::list_dir(fd(), "."))) {
    if (query.empty() || name.starts_with('.') || !name.starts_with(query)) {
      continue;
    }
    if (found) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "find volume", query,
                              "more than one name begins like that"));
    }
    found = name;
  }
  return found ? read(*found) : fail(no_such_volume(query));
}

Result<std::vector<VolumeRecord>> VolumeStore::list() const {
  std::vector<std::string> names = SBX_TRY(sys::list_dir(fd(), "."));
  std::sort(names.begin(), names.end());
  std::vector<VolumeRecord> out;
  for (const std::string& name : names) {
    if (name.starts_with('.')) {
      continue;
    }
    if (Result<VolumeRecord> record = read(name)) {
      out.push_back(std::move(record).value());
    } else if (record.error().code != ErrorCode::kNotFound) {
      log::warn("{}", record.error().message());
    }
  }
  return out;
}

Result<std::optional<sys::FileLock>> VolumeStore::try_lock(const std::string& name,
                                                           sys::FileLock::Kind kind) const {
  const std::string path = inside(name, kLock);
  Result<std::optional<sys::FileLock>> lock = sys::FileLock::try_acquire(fd(), path, kind);
  if (!lock) {
    return fail(lock.error().code == ErrorCode::kNotFound ? no_such_volume(name) : lock.error());
  }
  if (*lock) {
    // Between our opening and our locking it may have been removed, and even made again.
    const struct stat mine = SBX_TRY(sys::stat_fd((*lock)->fd(), path));
    const Result<struct stat> there = sys::stat_at(fd(), path);
    if (!there || there->st_ino != mine.st_ino || there->st_dev != mine.st_dev) {
      return fail(no_such_volume(name));
    }
  }
  return lock;
}

Result<std::map<std::string, std::vector<std::string>>> VolumeStore::users() const {
  std::map<std::string, std::vector<std::string>> out;
  for (const Container& container : SBX_TRY(list_containers(data_root_))) {
    for (const VolumeUse& use : container.state.volumes) {
      out[use.name].push_back(display_name(container.state));
    }
  }
  return out;
}

Result<void> VolumeStore::remove_locked(const std::string& name,
                                        std::optional<sys::FileLock>& lock) const {
  const std::string aside = std::string(kOldPrefix) + SBX_TRY(sys::random_hex(kSuffixBytes));
  SBX_TRY(sys::rename_at(fd(), name, fd(), aside));
  return remove_container_tree(fd(), aside, lock)
      .context(fmt::format("removing volume '{}'", name));
}

Result<void> VolumeStore::remove(const std::string& name) const {
  SBX_TRY(check_volume_name(name));
  for (int i = 0;; ++i) {
    std::optional<sys::FileLock> lock = SBX_TRY(try_lock(name, sys::FileLock::Kind::kExclusive));
    const auto all = SBX_TRY(users());
    if (const auto found = all.find(name); found != all.end()) {
      return fail(Error::make(ErrorCode::kBusy, "remove volume", name,
                              fmt::format("container '{}' uses it", found->second.front()))
                      .with_hint("remove the container before: sbx rm " + found->second.front()));
    }
    if (lock) {
      return remove_locked(name, lock);
    }
    if (i == kTries) {
      return fail(Error::make(ErrorCode::kBusy, "remove volume", name, "another process has it"));
    }
    (void)::nanosleep(&kPause, nullptr);
  }
}

void VolumeStore::disown(const std::string& name) const {
  (void)sys::unlink_at(fd(), inside(name, kOwner));  // it may have none
}

void VolumeStore::sweep_one(const std::string& name) const {
  if (!name.starts_with('.')) {
    const Result<std::string> owner = sys::read_link_at(fd(), inside(name, kOwner));
    if (owner && !sys::exists_at(AT_FDCWD, data_root_ + "/containers/" + *owner)) {
      // Whoever has it removes it, or mounts it: a sweep does not wait.
      if (const auto free = try_lock(name, sys::FileLock::Kind::kExclusive);
          !free || !free->has_value()) {
        return;
      }
      if (const Result<void> removed = remove(name); !removed) {
        disown(name);  // others use it, or it cannot be removed: it is like any other now
        log::debug("{}", removed.error().message());
      }
    }
    return;
  }
  if (!name.starts_with(kNewPrefix) && !name.starts_with(kOldPrefix)) {
    return;
  }
  auto lock =
      sys::FileLock::try_existing(fd(), inside(name, kLock), sys::FileLock::Kind::kExclusive);
  const Result<struct stat> st = sys::stat_at(fd(), name);
  const bool young = st && ::time(nullptr) - st->st_ctim.tv_sec < kBirthSeconds;
  if (lock ? !lock->has_value() : young) {
    return;
  }
  std::optional<sys::FileLock> held = lock ? std::move(*lock) : std::nullopt;
  if (const Result<void> removed = remove_container_tree(fd(), name, held); !removed) {
    log::debug("{}", removed.error().message());
  }
}

void VolumeStore::sweep() const {
  const Result<std::vector<std::string>> names = sys::list_dir(fd(), ".");
  for (const std::string& name : names ? *names : std::vector<std::string>{}) {
    sweep_one(name);
  }
}

namespace {

/// nullopt if there are no volumes at all.
std::optional<VolumeStore> existing_store(const std::string& data_root) {
  if (!sys::exists_at(AT_FDCWD, data_root + kFolder)) {
    return std::nullopt;
  }
  Result<VolumeStore> store = VolumeStore::open(data_root);
  return store ? std::optional(std::move(store).value()) : std::nullopt;
}

}  // namespace

void remove_own_volumes(const std::string& data_root, const ContainerState& state) {
  const std::optional<VolumeStore> store =
      state.volumes.empty() ? std::nullopt : existing_store(data_root);
  for (const VolumeUse& use : store ? state.volumes : std::vector<VolumeUse>{}) {
    if (use.anonymous) {
      if (const Result<void> removed = store->remove(use.name); !removed) {
        log::debug(
            "{}", removed.error().message());  // another container uses it, or the sweep removes it
      }
    }
  }
}

void keep_own_volumes(const std::string& data_root, const ContainerState& state) {
  const std::optional<VolumeStore> store =
      state.volumes.empty() ? std::nullopt : existing_store(data_root);
  for (const VolumeUse& use : store ? state.volumes : std::vector<VolumeUse>{}) {
    if (use.anonymous) {
      store->disown(use.name);
    }
  }
}

void sweep_volumes(const std::string& data_root) {
  if (const std::optional<VolumeStore> store = existing_store(data_root)) {
    store->sweep();
  }
}

namespace {

Result<std::vector<std::uint64_t>> sizes_as_we_are(const VolumeStore& store,
                                                   std::span<const std::string> names) {
  std::vector<std::uint64_t> out;
  for (const std::string& name : names) {
    out.push_back(SBX_TRY(sys::disk_usage(store.data_path(name))));
  }
  return out;
}

/// Numbers, each behind a space.
Result<std::vector<std::uint64_t>> read_numbers(std::string_view text) {
  std::vector<std::uint64_t> out;
  while (!text.empty()) {
    text.remove_prefix(1);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
      return fail(Error::make(ErrorCode::kSystem, "measure", "volumes", "the answer was cut"));
    }
    out.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return out;
}

}  // namespace

Result<std::vector<std::uint64_t>> volume_sizes(const VolumeStore& store,
                                                const std::vector<std::string>& names) {
  const IdFacts facts = SBX_TRY(find_id_facts(sys::invoker(), UserNamespaceMode::kAuto));
  const IdChoice ids = SBX_TRY(plan_identities(facts, UserNamespaceMode::kAuto));
  if (names.empty() || ids.identities.writer != sys::MapWriter::kTools) {
    return sizes_as_we_are(store, names);  // all is ours, or we are root
  }
  const sys::Fd all = SBX_TRY(namespace_of_all_ids());
  constexpr std::size_t kAtOnce = 100;  // an answer has room for more
  std::vector<std::uint64_t> out;
  for (std::span<const std::string> rest = names; !rest.empty();) {
    const std::span<const std::string> some = rest.first(std::min(rest.size(), kAtOnce));
    rest = rest.subspan(some.size());
    const std::string text =
        SBX_TRY(sys::ask_in_user_namespace(all.get(), [&]() -> Result<std::string> {
          std::string numbers;
          for (const std::uint64_t size : SBX_TRY(sizes_as_we_are(store, some))) {
            numbers += fmt::format(" {}", size);
          }
          return numbers;
        }));
    const std::vector<std::uint64_t> sizes = SBX_TRY(read_numbers(text));
    out.insert(out.end(), sizes.begin(), sizes.end());
  }
  return out.size() == names.size()
             ? Result<std::vector<std::uint64_t>>(std::move(out))
             : fail(Error::make(ErrorCode::kSystem, "measure", "volumes", "the answer was cut"));
}

}  // namespace sbx::runtime
