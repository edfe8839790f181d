#pragma once

// What is done to containers from outside: signals, waiting, removal. Nothing here hangs on a dead container: processes are
// watched by descriptors, and what a command waits for ends at the latest when the container's supervisor does.

#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// The number of a signal by name ("SIGTERM", "term") or number. kInvalidArgument for what is none.
Result<int> parse_signal(const std::string& text);

/// Sends it to the container's command. kBusy if the container does not run.
Result<void> kill_container(const std::string& data_root, const Container& container, int signal);

/// Its stop signal (config.json), then SIGKILL after `timeout` seconds (negative: never; nullopt: what the container was made with).
/// Comes back when the container has ended. One that does not run is no error.
Result<void> stop_container(const std::string& data_root, const Container& container,
                            std::optional<int> timeout);

/// What `wait` waits for, as docker's --condition.
enum class WaitFor {
  kNotRunning,  // that it has ended; at once if it has. One that was only created is waited for until it has run.
  kNextExit,  // the next end, from when the watch began
  kRemoved
};

/// The end of a container, watched from now on.
class EndWatch {
 public:
  EndWatch(std::string data_root, Container container);

  /// Its exit code; of one that has removed itself, too.
  Result<int> wait(WaitFor what);

 private:
  [[nodiscard]] bool reached(WaitFor what) const;

  std::string data_root_;
  Container now_;
  std::string finished_before_;
  bool ran_;  // since the watch began
  sys::Fd
      note_;  // the lock file: the exit code is noted there, also by a container that removes itself
};

struct Removal {
  bool force = false;    // one that runs is killed first
  bool volumes = false;  // volumes without a name, which were made for it, go too
};
/// Deletes a container. kBusy if it runs.
Result<void> remove_container(const std::string& data_root, const Container& container,
                              const Removal& removal);

}  // namespace sbx::runtime
