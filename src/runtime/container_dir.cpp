#include "runtime/container_dir.hpp"

#include <fmt/format.h>
#include <time.h>

#include <array>

#include "base/json.hpp"
#include "base/log.hpp"
#include "runtime/container_tree.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kLock = "lock";
constexpr const char* kState = "state.json";
constexpr const char* kRemoveMark = "autoremove";
constexpr mode_t kPrivateDir = 0700;
constexpr mode_t kPrivateFile = 0600;
// Between mkdir and the lock a container is without either; nobody needs longer for that.
constexpr time_t kBirthSeconds = 10;

Result<sys::Fd> open_subdirectory(const std::string& root, const char* name) {
  const std::string path = root + "/" + name;
  SBX_TRY(sys::make_dirs(path, kPrivateDir));
  return sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

std::string now_utc() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  std::array<char, 32> text{};
  const std::size_t size = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:09}Z", std::string_view(text.data(), size), now.tv_nsec);
}

/// True if a new container may be about to appear here.
bool being_born(int containers, const std::string& id) {
  const Result<struct stat> st = sys::stat_at(containers, id);
  return st && ::time(nullptr) - st->st_ctim.tv_sec < kBirthSeconds;
}

void sweep_one(const DataRoot& root, const std::string& id) {
  const int containers = root.containers();
  const bool doomed = sys::exists_at(containers, id + "/" + kRemoveMark) ||
                      !sys::exists_at(containers, id + "/" + kState);
  if (!doomed) {
    return;
  }
  const std::string lock_path = id + "/" + kLock;
  // Held until all is removed. Makes no file: a container that removes itself may be without one by now.
  const auto lock =
      sys::FileLock::try_existing(containers, lock_path, sys::FileLock::Kind::kExclusive);
  if (lock ? !lock->has_value() : being_born(containers, id)) {
    return;  // alive, or not yet, or hardly any more
  }
  free_names_of(root.names(), id);
  if (const Result<void> removed = remove_container_tree(containers, id); !removed) {
    log::debug("{}", removed.error().message());  // the next sweep tries again
  }
}

}  // namespace

Result<DataRoot> DataRoot::open(const std::string& path) {
  DataRoot root;
  root.path_ = path;
  root.containers_ = SBX_TRY(open_subdirectory(path, "containers"));
  root.names_ = SBX_TRY(open_subdirectory(path, "names"));
  return root;
}

Result<ContainerDir> ContainerDir::create(const DataRoot& root, const Description& description) {
  ContainerDir container;
  container.description_ = description;
  container.path_ = root.path() + "/containers/" + description.id;
  container.containers_ = root.containers();
  container.names_ = root.names();
  // Another sbx may sweep between our making the lock file and our locking it: it takes the container for dead, and
  // removes it with the lock held. Then the file we locked has no name any more, and we begin again.
  do {
    SBX_TRY(sys::make_dir_at(root.containers(), description.id, kPrivateDir));
    container.dir_ =
        SBX_TRY(sys::open_at(root.containers(), description.id, O_RDONLY | O_DIRECTORY));
    container.lock_ = SBX_TRY(
        sys::FileLock::acquire(container.dir_.get(), kLock, sys::FileLock::Kind::kExclusive));
  } while (!sys::exists_at(container.dir_.get(), kLock));
  const int dir = container.dir_.get();
  if (description.remove) {
    (void)SBX_TRY(sys::open_at(dir, kRemoveMark, O_WRONLY | O_CREAT, kPrivateFile));
  }
  for (const char* sub : {"upper", "work", "etc"}) {
    SBX_TRY(sys::make_dir_at(dir, sub, kPrivateDir));
  }
  if (!description.name.empty()) {
    if (Result<void> named = sys::symlink_at(description.id, root.names(), description.name);
        !named) {
      Error error = std::move(named).error();
      (void)container.remove();  // the first failure is the one to tell
      if (error.code == ErrorCode::kAlreadyExists) {
        return fail(
            Error::make(ErrorCode::kAlreadyExists, "name the container", description.name,
                        "another container has this name")
                .with_hint(fmt::format(
                    "take another name, or delete '{0}/names/{1}' and the container it leads to",
                    root.path(), description.name)));
      }
      return fail(std::move(error));
    }
  }
  return container;
}

Result<void> ContainerDir::write_config(std::string_view json) const {
  return sys::write_file_at(dir_.get(), "config.json", json, kPrivateFile,
                            sys::Durability::kCached);
}

Result<void> ContainerDir::write_etc_file(const std::string& name, std::string_view text) const {
  const std::string path = "etc/" + name;
  const sys::Fd file =
      SBX_TRY(sys::open_at(dir_.get(), path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  return sys::write_full(file.get(), text, path);
}

Result<void> ContainerDir::write_state(std::string_view status, pid_t pid, int exit_code) const {
  Json state{{"version", 1},
             {"id", description_.id},
             {"name", description_.name},
             {"image", description_.image},
             {"chain", description_.chain},
             {"overlay", description_.kernel_overlay ? "kernel" : "fuse"},
             {"command", description_.command},
             {"status", status},
             {"autoRemove", description_.remove},
             {"changed", now_utc()}};
  if (pid != 0) {
    state["pid"] = pid;
  } else {
    state["exitCode"] = exit_code;
  }
  // A container that goes with its end has nothing to keep through a power cut.
  const auto durability = description_.remove ? sys::Durability::kCached : sys::Durability::kSynced;
  return sys::write_file_at(dir_.get(), kState, dump_json(state), kPrivateFile, durability);
}

Result<void> ContainerDir::write_running(pid_t pid) const { return write_state("running", pid, 0); }
Result<void> ContainerDir::write_exited(int exit_code) const {
  return write_state("exited", 0, exit_code);
}

Result<void> ContainerDir::remove(int user_namespace) {
  if (!description_.name.empty()) {
    free_name(names_, description_.id, description_.name);
  }
  return remove_container_tree(containers_, description_.id, user_namespace);
}

void sweep_containers(const DataRoot& root) {
  const Result<std::vector<std::string>> ids = sys::list_dir(root.containers(), ".");
  for (const std::string& id : ids ? *ids : std::vector<std::string>{}) {
    sweep_one(root, id);
  }
}

}  // namespace sbx::runtime
