#pragma once

// From clone() to execve(), inside the new namespaces.
//
// Must hold before: the caller has one thread; the plan and everything it points to was made before clone.
// Nothing here allocates, formats, locks or throws; failures travel to the supervisor as numbers, and the
// supervisor knows the words (explain_step). Order of life:
//
//   network      loopback, tap (handed to the network process): needs no id maps, so it goes on meanwhile
//   wait         until the supervisor has written the id maps
//   sources      the host's trees to be bound are taken as the user that we still are
//   root         a mount that others use too; or /dev/fuse opened here (the kernel wants it opened in this user namespace), mounted, handed over;
//                over it the kernel's overlay, if the plan has one
//   mounts       the plan's steps, each below the new root without leaving it
//   pivot        the host's tree is gone from here on
//   privileges   bounding set, capabilities, no_new_privs, not dumpable
//   command      as PID 1 itself, or below an init of ours

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sandbox/plan.hpp"

namespace sbx::sandbox {

/// Where a start can fail. The order is the order of life.
enum class Step : std::uint32_t {
  kNone,
  kParentGone,
  kLoopback,
  kTap,
  kSendTap,
  kBindSource,
  kBindBeneath,
  kNotADevice,
  kIds,
  kPrivate,
  kOpenFuse,
  kMountRoot,
  kSendFuse,
  kOverlay,
  kOpenRoot,
  kMountTarget,
  kMakeTarget,
  kMount,
  kMountAttributes,
  kReadOnlyRoot,
  kPivot,
  kWorkingDirectory,
  kHostname,
  kTerminal,
  kKeyring,
  kCapabilities,
  kFork,
  kGroups,
  kUser,
  kStandardStreams,
  kExec
};

/// What the sandbox tells the supervisor: one message, plus one if the command cannot be executed.
struct StageReport {
  Step step = Step::kNone;    // kNone: the sandbox is ready
  std::int32_t error = 0;     // errno
  std::uint32_t index = 0;    // of the mount step
  std::int64_t begin_ns = 0;  // CLOCK_MONOTONIC, for --timings
  std::int64_t network_ns = 0;
  std::int64_t maps_ns = 0;
  std::int64_t root_ns = 0;
  std::int64_t mounts_ns = 0;
  std::int64_t ready_ns = 0;
};

/// Descriptors that the stage inherits. -1: not used.
struct StageFds {
  int control = -1;  // SOCK_SEQPACKET to the supervisor
  int fuse = -1;     // SOCK_SEQPACKET to the file system process: gets the /dev/fuse descriptor
  int root = -1;     // the root file system's mount, detached; then `fuse` is not used
  int net = -1;      // SOCK_SEQPACKET to the network process: gets the tap
  int in = -1;  // standard streams of the command; -1: /dev/null of the sandbox, for each of them
  int out = 1;
  int err = 2;
};

/// The plan in the form that needs no allocation any more. Made before clone, borrowed from the plan.
class PreparedPlan {
 public:
  explicit PreparedPlan(const Plan& plan);

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] char* const* argv() const { return argv_.data(); }
  [[nodiscard]] char* const* environment() const { return environment_.data(); }
  /// Room for one descriptor per mount step.
  [[nodiscard]] std::vector<int>& source_fds() { return source_fds_; }
  [[nodiscard]] unsigned last_capability() const { return last_capability_; }

  /// What runs in the place of the command, as PID 1 with all rights in the sandbox and with the descriptors of who cloned it, none of
  /// them a standard stream of the command's; borrowed. It begins after clone(), so it may use raw.hpp, and fork.
  void run_instead(const std::function<void()>& body) { instead_ = &body; }
  [[nodiscard]] const std::function<void()>* instead() const { return instead_; }

 private:
  const Plan& plan_;
  std::vector<char*> argv_;
  std::vector<char*> environment_;
  std::vector<int> source_fds_;
  unsigned last_capability_;
  const std::function<void()>* instead_ = nullptr;
};

/// Runs in the new process; ends in execve or exit.
[[noreturn]] void run_stage(PreparedPlan& prepared, const StageFds& fds) noexcept;

/// As run_stage(), in a new process that is in the namespaces of a sandbox already: only the plan's working directory, terminal,
/// credentials and command count.
[[noreturn]] void run_joined(PreparedPlan& prepared, const StageFds& fds) noexcept;

/// PID 1 of the sandbox: reaps, forwards signals to `child`, and ends with its exit code (128 + n if killed).
[[noreturn]] void run_init(pid_t child) noexcept;

/// The words for a failed start; runs in the supervisor.
Error explain_step(const Plan& plan, const StageReport& report);

}  // namespace sbx::sandbox
