#pragma once

// What is done to containers from outside: signals, waiting, removal. Nothing here hangs on a dead container: processes are
// watched by descriptors, and what a command waits for ends at the latest when the container's supervisor does.

#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/containers.hpp"

namespace sbx::runtime {

/// The number of a signal by name ("SIGTERM", "term") or number. kInvalidArgument for what is none.
Result<int> parse_signal(const std::string& text);

/// Sends it to the container's command. kBusy if the container does not run.
Result<void> kill_container(const std::string& data_root, const Container& container, int signal);

/// Its stop signal (config.json), then SIGKILL after `timeout` seconds (negative: never; nullopt: what the container was made with).
/// Comes back when the container has ended. One that does not run is no error.
Result<void> stop_container(const std::string& data_root, const Container& container,
                            std::optional<int> timeout);

/// Until it ends. Its exit code; of one that has ended already that of its last end. A container that was only created is
/// waited for until it has run.
Result<int> wait_for_container(const std::string& data_root, const Container& container);

/// Deletes a container. kBusy if it runs, unless `force`, which kills it first.
Result<void> remove_container(const std::string& data_root, const Container& container, bool force);

}  // namespace sbx::runtime
