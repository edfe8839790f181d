#pragma once

// What the two helper processes of a sandbox do. Each is forked from the supervisor without execve, and ends
// by itself when the supervisor is gone.

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/root_file_system.hpp"
#include "sys/process_title.hpp"

namespace sbx::runtime {

/// Descriptors are borrowed from the supervisor's image of memory; they live as long as the process.
struct FsRole {
  std::unique_ptr<RootFileSystem> file_system;  // null: only watches; an image server serves
  int channel = -1;                             // brings the /dev/fuse descriptor
  int lifeline = -1;                            // hangs up when the supervisor is gone
  int init = -1;                                // pidfd of the sandbox's first process
  bool terminal =
      false;  // descriptor 0 is a terminal in raw mode: to be restored if the supervisor is killed
  bool tell_requests = false;  // at the end, on standard error
  std::string name;            // for ps(1)
  sys::ProcessTitle title;
};

/// Serves the root file system until it is unmounted. When the supervisor is gone it kills the sandbox: the command
/// may have cleared its own death signal.
[[noreturn]] void run_fs_role(FsRole role);

struct NetRole {
  std::uint32_t unprivileged_id = 65534;  // what root becomes
  int channel = -1;                       // brings the tap
  int lifeline = -1;
  std::string name;  // for ps(1)
  sys::ProcessTitle title;
};

/// Carries the sandbox's packets until the supervisor is gone.
[[noreturn]] void run_net_role(const NetRole& role);

}  // namespace sbx::runtime
