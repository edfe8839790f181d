#include "runtime/container_dir.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "runtime/container_name.hpp"
#include "runtime/container_tree.hpp"
#include "runtime/made_up_name.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kLock = "lock";
constexpr const char* kConfig = "config.json";
constexpr std::size_t kMaxNote = 16;
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

/// True if a new container may be about to appear here.
bool being_born(int containers, const std::string& id) {
  const Result<struct stat> st = sys::stat_at(containers, id);
  return st && ::time(nullptr) - st->st_ctim.tv_sec < kBirthSeconds;
}

void sweep_one(const DataRoot& root, const std::string& id) {
  const int containers = root.containers();
  const bool doomed = sys::exists_at(containers, id + "/" + kRemoveMark) ||
                      !sys::exists_at(containers, id + "/" + kStateFile);
  if (!doomed) {
    return;
  }
  const std::string lock_path = id + "/" + kLock;
  // Held until all is removed. Makes no file: a container that removes itself may be without one by now.
  auto lock = sys::FileLock::try_existing(containers, lock_path, sys::FileLock::Kind::kExclusive);
  if (lock ? !lock->has_value() : being_born(containers, id)) {
    return;  // alive, or not yet, or hardly any more
  }
  free_names_of(root.names(), id);
  std::optional<sys::FileLock> held = lock ? std::move(*lock) : std::nullopt;
  if (const Result<void> removed = remove_container_tree(containers, id, held); !removed) {
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

Result<ContainerDir> ContainerDir::create(const DataRoot& root, ContainerState state) {
  ContainerDir container;
  container.state_ = std::move(state);
  container.state_.created = now_rfc3339();
  const std::string& id = container.state_.id;
  container.path_ = root.path() + "/containers/" + id;
  container.containers_ = root.containers();
  container.names_ = root.names();
  // Another sbx may sweep between our making the lock file and our locking it: it takes the container for dead, and
  // removes it with the lock held. Then the file we locked has no name any more, and we begin again.
  do {
    SBX_TRY(sys::make_dir_at(root.containers(), id, kPrivateDir));
    container.dir_ = SBX_TRY(sys::open_at(root.containers(), id, O_RDONLY | O_DIRECTORY));
    container.lock_ = SBX_TRY(
        sys::FileLock::acquire(container.dir_.get(), kLock, sys::FileLock::Kind::kExclusive));
  } while (!sys::exists_at(container.dir_.get(), kLock));
  const int dir = container.dir_.get();
  for (const char* sub : {"upper", "work", "etc"}) {
    SBX_TRY(sys::make_dir_at(dir, sub, kPrivateDir));
  }
  if (Result<void> named = container.take_name(); !named) {
    (void)container.remove();  // the first failure is the one to tell
    return fail(std::move(named).error());
  }
  return container;
}

Result<void> ContainerDir::take_name() {
  if (!state_.name.empty()) {
    return claim_name(containers_, names_, state_.name, state_.id);
  }
  for (unsigned attempt = 0; attempt < kMadeUpNames; ++attempt) {
    state_.name = made_up_name(state_.id, attempt);
    const Result<void> named = claim_name(containers_, names_, state_.name, state_.id);
    if (named) {
      return {};
    }
    if (named.error().code != ErrorCode::kAlreadyExists) {
      break;  // a file system without symbolic links
    }
  }
  state_.name.clear();  // nobody has asked for one
  return {};
}

Result<ContainerDir> ContainerDir::open(const DataRoot& root, const std::string& id) {
  ContainerDir container;
  container.path_ = root.path() + "/containers/" + id;
  container.containers_ = root.containers();
  container.names_ = root.names();
  container.dir_ = SBX_TRY(sys::open_at(root.containers(), id, O_RDONLY | O_DIRECTORY));
  container.lock_ = SBX_TRY(
      sys::FileLock::try_existing(container.dir_.get(), kLock, sys::FileLock::Kind::kExclusive));
  if (!container.lock_) {
    return fail(Error::make(ErrorCode::kBusy, "use container", id, "another process has it"));
  }
  const std::string text =
      SBX_TRY(sys::read_file_at(container.dir_.get(), kStateFile, kStateLimits.bytes));
  container.state_ =
      SBX_TRY(container_state_from_json(SBX_TRY(parse_json(text, kStateFile, kStateLimits))));
  container.state_.name = current_name(root.containers(), id, container.state_.name);
  return container;
}

Result<void> ContainerDir::mark_for_removal() const {
  (void)SBX_TRY(sys::open_at(dir_.get(), kRemoveMark, O_WRONLY | O_CREAT, kPrivateFile));
  return {};
}

Result<void> ContainerDir::write_config(std::string_view json) const {
  return sys::write_file_at(dir_.get(), kConfig, json, kPrivateFile, sys::Durability::kCached);
}

Result<void> ContainerDir::write_etc_file(const std::string& name, std::string_view text) const {
  const std::string path = "etc/" + name;
  const sys::Fd file =
      SBX_TRY(sys::open_at(dir_.get(), path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  return sys::write_full(file.get(), text, path);
}

Result<void> ContainerDir::write_state() {
  // A container that goes with its end has nothing to keep through a power cut.
  const auto durability = state_.remove ? sys::Durability::kCached : sys::Durability::kSynced;
  return sys::write_file_at(dir_.get(), kStateFile, dump_json(to_json(state_)), kPrivateFile,
                            durability);
}

Result<void> ContainerDir::write_created() {
  state_.status = ContainerStatus::kCreated;
  return write_state();
}

Result<void> ContainerDir::write_running(const sys::ProcessMark& init) {
  state_.status = ContainerStatus::kRunning;
  state_.started = now_rfc3339();
  state_.monitor = SBX_TRY(sys::mark_process(::getpid()));
  state_.init = init;
  state_.error.clear();
  return write_state();
}

Result<void> ContainerDir::write_exited(int exit_code, const std::string& error) {
  state_.status = ContainerStatus::kExited;
  state_.finished = now_rfc3339();
  state_.monitor = state_.init = {};
  state_.exit_code = exit_code;
  state_.error = error;
  Result<void> noted = note_exit(exit_code);
  Result<void> written = write_state();
  return written ? noted : written;
}

Result<void> ContainerDir::write_restarting(int exit_code) {
  state_.status = ContainerStatus::kRestarting;
  state_.finished = now_rfc3339();
  state_.init = {};
  state_.exit_code = exit_code;
  ++state_.restarts;
  SBX_TRY(note_exit(exit_code));
  return write_state();
}

bool ContainerDir::was_stopped() const { return sys::exists_at(dir_.get(), kStopMark); }

Result<void> ContainerDir::forget_restarts() {
  state_.restarts = 0;
  Result<void> removed = sys::unlink_at(dir_.get(), kStopMark);
  return removed || removed.error().code == ErrorCode::kNotFound ? Result<void>() : removed;
}

Result<void> note_stop(const std::string& data_root, const std::string& id) {
  const std::string path = data_root + "/containers/" + id + "/" + kStopMark;
  (void)SBX_TRY(sys::open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, kPrivateFile));
  return {};
}

Result<void> ContainerDir::note_exit(int exit_code) const {
  // This file keeps its inode until the end. Four characters are always longer than what was there.
  return sys::pwrite_full(lock_->fd(), fmt::format("{:4}\n", exit_code), 0, kLock);
}

std::optional<int> read_exit_note(int lock_file) {
  std::array<char, kMaxNote> text{};
  const ssize_t size = ::pread(lock_file, text.data(), text.size(), 0);
  int code = 0;
  const std::string_view note(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const char* const end = note.data() + note.size();
  const char* const digits = note.data() + std::min(note.find_first_not_of(' '), note.size());
  return std::from_chars(digits, end, code).ec == std::errc() ? std::optional(code) : std::nullopt;
}

Result<void> ContainerDir::remove(int user_namespace) {
  if (sys::exists_at(dir_.get(), kChangeLock)) {  // perhaps somebody gave it another one
    free_names_of(names_, state_.id);
  } else if (!state_.name.empty()) {
    free_name(names_, state_.id, state_.name);
  }
  return remove_container_tree(containers_, state_.id, lock_, user_namespace);
}

void sweep_containers(const DataRoot& root) {
  const Result<std::vector<std::string>> ids = sys::list_dir(root.containers(), ".");
  for (const std::string& id : ids ? *ids : std::vector<std::string>{}) {
    sweep_one(root, id);
  }
}

}  // namespace sbx::runtime
