#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/container_state.hpp"
#include "sys/fd.hpp"
#include "sys/lock.hpp"

namespace sbx::runtime {

/// Where images, containers and names lie: $XDG_DATA_HOME/sbx and its subdirectories, mode 0700.
class DataRoot {
 public:
  /// Makes what is missing.
  static Result<DataRoot> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int containers() const { return containers_.get(); }
  [[nodiscard]] int names() const { return names_.get(); }

 private:
  std::string path_;
  sys::Fd containers_;
  sys::Fd names_;
};

inline constexpr const char* kStateFile = "state.json";
inline constexpr const char* kStopMark = "stopped";
/// A command may have two megabytes, labels of an image four, and escaping makes more of both.
inline constexpr JsonLimits kStateLimits{.bytes = std::size_t{32} << 20U};
/// Held by who changes something of a container that may run: its name, or whether it is paused.
inline constexpr const char* kChangeLock = "change.lock";

/// One container on disk: containers/ID/{lock,state.json,config.json,upper,work,etc,log}. Whoever holds the lock is alive;
/// the file system process holds it too, so that a free lock means that nobody writes there any more.
class ContainerDir {
 public:
  /// Makes a container in the state kCreated, and holds its lock. Of `state`, the id and what does not change must be
  /// filled in; without a name it gets one that is free. kAlreadyExists if the name is taken.
  static Result<ContainerDir> create(const DataRoot& root, ContainerState state);
  /// Takes the lock of one that is there. kBusy if somebody else has it, kNotFound if it is gone.
  static Result<ContainerDir> open(const DataRoot& root, const std::string& id);

  [[nodiscard]] const ContainerState& state() const { return state_; }
  [[nodiscard]] const std::string& id() const { return state_.id; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return dir_.get(); }
  [[nodiscard]] bool removed_at_end() const { return state_.remove; }

  /// From now on it goes when nobody holds its lock, also after kill -9. For one with state().remove that is about to start.
  [[nodiscard]] Result<void> mark_for_removal() const;
  Result<void> write_config(std::string_view json) const;
  /// A file below etc/, bound over the one of the image.
  Result<void> write_etc_file(const std::string& name, std::string_view text) const;

  Result<void> write_created();
  /// It begins to run. `init` is PID 1 of its sandbox.
  Result<void> write_running(const sys::ProcessMark& init);
  /// `error`: why, if it was not the command's own end.
  Result<void> write_exited(int exit_code, const std::string& error = "");
  /// It has ended, and is about to run again.
  Result<void> write_restarting(int exit_code);
  /// Somebody has asked for its end (note_stop), since somebody started it.
  [[nodiscard]] bool was_stopped() const;
  /// Somebody starts it: what was before does not count.
  Result<void> forget_restarts();
  /// For who waits for a container that removes itself.
  [[nodiscard]] Result<void> note_exit(int exit_code) const;
  /// Deletes everything and frees the name; see remove_container_tree().
  Result<void> remove(int user_namespace = -1);

 private:
  Result<void> write_state();
  Result<void> take_name();

  ContainerState state_;
  std::string path_;
  sys::Fd dir_;
  int containers_ = -1;  // borrowed from DataRoot
  int names_ = -1;
  std::optional<sys::FileLock> lock_;
};

/// The exit code that a container left in its lock file, which can still be read when it removed itself. nullopt: none.
std::optional<int> read_exit_note(int lock_file);

/// The end of a container is wanted: it does not run again by itself.
Result<void> note_stop(const std::string& data_root, const std::string& id);

/// Removes what killed processes left behind: containers that are to go with their end, or were never
/// finished, and whose lock is free. Failures are left for the next time.
void sweep_containers(const DataRoot& root);

}  // namespace sbx::runtime
