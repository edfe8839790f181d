#include "runtime/pause.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <algorithm>

#include "runtime/container_dir.hpp"
#include "runtime/container_processes.hpp"
#include "runtime/events.hpp"
#include "runtime/joinable.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/lock.hpp"
#include "sys/ns.hpp"
#include "sys/parent.hpp"
#include "sys/raw.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kPauseFile = "/paused";
constexpr mode_t kPrivateFile = 0600;
constexpr std::size_t kMaxMark = 64;
// A process stops at the latest when it comes back from the kernel; one that waits for a disk takes as long as that.
constexpr timespec kPause{0, 5'000'000};
constexpr int kTries = 2000;  // ten seconds

// The user namespace for the right to it.
constexpr sys::Namespaces kJoined{.user = true,
                                  .mount = false,
                                  .pid = true,
                                  .ipc = false,
                                  .uts = false,
                                  .cgroup = false,
                                  .net = false};

std::string mark_text(const sys::ProcessMark& mark) {
  return fmt::format("{} {}\n", mark.pid, mark.start);
}

Error refused(const char* op, const Container& container, const char* why) {
  return Error::make(ErrorCode::kBusy, op, container.state.id.substr(0, 12), why);
}

/// A running container, and its processes.
struct Target {
  Container container;
  sys::Fd command;
  bool init = true;  // PID 1 is ours
};

Result<Target> open_target(const std::string& data_root, Container container) {
  const bool init = SBX_TRY(read_container_config(data_root, container.state.id)).stored.init;
  sys::Fd command = SBX_TRY(open_command(data_root, container, init, kJoined));
  return Target{std::move(container), std::move(command), init};
}

/// Sends a signal to all processes inside in one go, so that none can be born in between and not get it.
Result<void> signal_all(const Target& target, int signal) {
  sys::Cloned cloned = SBX_TRY(sys::clone_joined(target.command.get(), kJoined, [signal] {
    // -1 is everybody here, which must not be everybody of the machine: in a pid namespace of others our parent, outside, is 0.
    if (sys::parent_pid() != 0) {
      sys::raw::exit(1);
    }
    const long sent = sys::raw::kill(-1, signal);
    sys::raw::exit(sent == 0 || sent == -ESRCH ? 0 : 1);
  }));
  sys::Child sender(cloned.pid, std::move(cloned.pidfd));
  const sys::ExitStatus status = SBX_TRY(sender.wait());
  if (status.shell_code() != 0) {
    return fail(refused("send a signal to container", target.container,
                        "its processes could not be reached"));
  }
  // kill(2) passes over PID 1 of its own pid namespace; ours has nothing to stop.
  return target.init ? Result<void>() : sys::signal_process(target.command.get(), signal);
}

Result<bool> all_stopped(const Target& target) {
  const std::vector<sys::ProcessStat> processes =
      SBX_TRY(container_processes(target.container, target.init));
  return std::all_of(processes.begin(), processes.end(),
                     [](const sys::ProcessStat& one) { return one.stopped() || one.ended(); });
}

Result<void> stop_all(const Target& target) {
  for (int i = 0; i < kTries; ++i) {
    SBX_TRY(signal_all(target, SIGSTOP));  // again: a process in it may have let others go on
    if (SBX_TRY(all_stopped(target))) {
      return {};
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  return fail(refused("pause container", target.container, "not all of its processes stop")
                  .with_hint("'sbx top' lists them"));
}

}  // namespace

bool has_pause_mark(int containers, const ContainerState& state) {
  const Result<std::string> text = sys::read_file_at(containers, state.id + kPauseFile, kMaxMark);
  return text && *text == mark_text(state.init);
}

Result<void> pause_container(const std::string& data_root, const Container& given) {
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  const std::string& id = given.state.id;
  const sys::FileLock lock = SBX_TRY(sys::FileLock::acquire(
      root.containers(), id + "/" + kChangeLock, sys::FileLock::Kind::kExclusive));
  Container container = SBX_TRY(settled(data_root, SBX_TRY(read_container(data_root, id))));
  if (!container.running() || container.paused) {
    return fail(refused("pause container", container,
                        container.paused ? "it is paused already" : "it is not running"));
  }
  const std::string mark = mark_text(container.state.init);
  const Target target = SBX_TRY(open_target(data_root, std::move(container)));
  // Said before it is so: what is killed in between leaves a container that 'unpause' puts right.
  SBX_TRY(sys::write_file_at(root.containers(), id + kPauseFile, mark, kPrivateFile,
                             sys::Durability::kCached));
  Result<void> stopped = stop_all(target);
  if (!stopped) {
    (void)signal_all(target, SIGCONT);  // the first failure is the one to tell
    (void)sys::unlink_at(root.containers(), id + kPauseFile);
    return stopped;
  }
  write_container_event(data_root, target.container.state, "pause");
  return {};
}

Result<void> unpause_container(const std::string& data_root, const Container& given) {
  const DataRoot root = SBX_TRY(DataRoot::open(data_root));
  const std::string& id = given.state.id;
  const sys::FileLock lock = SBX_TRY(sys::FileLock::acquire(
      root.containers(), id + "/" + kChangeLock, sys::FileLock::Kind::kExclusive));
  Container container = SBX_TRY(settled(data_root, SBX_TRY(read_container(data_root, id))));
  if (!container.paused) {
    return fail(refused("unpause container", container,
                        container.running() ? "it is not paused" : "it is not running"));
  }
  const Target target = SBX_TRY(open_target(data_root, std::move(container)));
  SBX_TRY(signal_all(target, SIGCONT));
  SBX_TRY(sys::unlink_at(root.containers(), id + kPauseFile));
  write_container_event(data_root, target.container.state, "unpause");
  return {};
}

}  // namespace sbx::runtime
