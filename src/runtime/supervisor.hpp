#pragma once

// The process that starts a sandbox and stays with it: one thread, all waiting in one poll(2).
//
//   clone init ──┬── write id maps (newuidmap, newgidmap)
//                ├── write the container's files (prepare)
//                ├── fork the file system process
//                └── fork the network process
//   maps written ── "go" ── init mounts, hands /dev/fuse and tap over ── report ── execve
//
// Where the mount of the image is shared, clone writes the id maps too, and the file system process is not there; but where a
// terminal is to be put right if we are killed.
//
// What must hold: this process has one thread until its end, as clone copies it.

#include <functional>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "runtime/container_dir.hpp"
#include "runtime/health_monitor.hpp"
#include "runtime/image_keeper.hpp"
#include "runtime/root_file_system.hpp"
#include "runtime/streams.hpp"
#include "runtime/timings.hpp"
#include "sandbox/plan.hpp"

namespace sbx::runtime {

struct SupervisorInput {
  const sandbox::Plan& plan;
  /// Called once while the id maps are written, which takes others some milliseconds: whatever the sandbox needs
  /// on disk, and the file system.
  std::function<Result<std::unique_ptr<RootFileSystem>>(pid_t init)> prepare;
  const DataRoot& root;
  /// In the background: no stream of ours is passed on.
  std::optional<DetachedStreams> detached;
  /// A pidfd: the plan's command runs in the sandbox of that process, which is there already. Nothing is prepared then.
  int joined = -1;
  std::function<void()> on_running;  // called once when the command runs; may be empty
  std::function<void()>
      on_end_wanted;  // called when we are sent a signal that asks for the end; may be empty
  HealthMonitor* health = nullptr;  // borrowed; nullptr: nobody asks
  bool interactive = false;         // standard input is passed on
  bool remove = false;  // what was written is not kept: the file system process need not finish
  bool tell_requests = false;  // the file system process tells what it was asked, and must finish
  std::uint32_t unprivileged_id = 65534;
  sys::Fd* user_namespace =
      nullptr;  // gets the sandbox's, if others than the invoker may own what it leaves
  Timings* timings = nullptr;  // borrowed; nullptr: nobody wants to know
  /// Runs as PID 1 in the place of the command; see PreparedPlan::run_instead(). Empty: the command does.
  std::function<void()> instead;
  std::optional<SharedImage> shared;  // the image, mounted already: `prepare` makes no file system
};

/// SIGTERM, SIGINT, SIGHUP or SIGQUIT.
[[nodiscard]] bool asks_for_end(int signal);

/// Runs the plan to its end. The exit code of the command, or an Error whose code tells 125, 126 or 127.
Result<int> supervise(SupervisorInput input);

}  // namespace sbx::runtime
