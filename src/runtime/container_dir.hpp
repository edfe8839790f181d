#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
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

/// One container on disk: containers/ID/{lock,state.json,config.json,upper,work,etc}. Whoever holds the lock is alive;
/// the file system process holds it too, so that a free lock means that nobody writes there any more.
class ContainerDir {
 public:
  struct Description {
    std::string id;     // 64 hexadecimal digits
    std::string name;   // empty: none
    std::string image;  // as typed
    std::vector<std::string> command;
    bool remove = false;          // gone with its end, also after kill -9
    std::string chain;            // of the image below; empty: a directory
    bool kernel_overlay = false;  // upper/ and work/ are as the kernel's overlay writes them
  };

  /// kAlreadyExists if the name is taken.
  static Result<ContainerDir> create(const DataRoot& root, const Description& description);

  [[nodiscard]] const std::string& id() const { return description_.id; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return dir_.get(); }
  [[nodiscard]] bool removed_at_end() const { return description_.remove; }

  Result<void> write_config(std::string_view json) const;
  /// A file below etc/, bound over the one of the image.
  Result<void> write_etc_file(const std::string& name, std::string_view text) const;
  Result<void> write_running(pid_t pid) const;
  Result<void> write_exited(int exit_code) const;
  /// Deletes everything and frees the name; see remove_container_tree().
  Result<void> remove(int user_namespace = -1);

 private:
  [[nodiscard]] Result<void> write_state(std::string_view status, pid_t pid, int exit_code) const;

  Description description_;
  std::string path_;
  sys::Fd dir_;
  int containers_ = -1;  // borrowed from DataRoot
  int names_ = -1;
  std::optional<sys::FileLock> lock_;
};

/// Removes what killed processes left behind: containers that are to go with their end, or were never
/// finished, and whose lock is free. Failures are left for the next time.
void sweep_containers(const DataRoot& root);

}  // namespace sbx::runtime
