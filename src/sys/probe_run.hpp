#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"

namespace sbx::sys {

/// How a trial went.
struct Trial {
  bool passed = false;
  int sys_errno = 0;  // of the step that failed; 0 if none or not a system call
  std::string text;   // what the trial returned, or the error's message
};

/// Runs `action` in a process of its own and process group, which is killed with all it started when `action` returns, throws
/// its process away, or takes longer than `seconds`. The caller must have one thread.
Trial try_out(const std::function<Result<std::string>()>& action, int seconds = 5);

/// Inside a trial: a user namespace in which we are root and, as asked, others. EPERM in the text tells the step.
Result<void> enter_trial_namespaces(bool mount, bool net);

/// The command that installs a package, by the distribution's own tool; "" where it is not known. The names are
/// those of Debian; others differ where `tool` says so.
struct PackageNames {
  std::string apt;
  std::string dnf;
  std::string zypper;
  std::string pacman;
  std::string apk;
};
/// `os_release` is the text of /etc/os-release; see os-release(5).
std::string install_command(const std::string& os_release, const PackageNames& names);
/// The same for this machine, with sudo in front unless we are root.
std::string install_command(const PackageNames& names);

/// "sudo COMMAND", or COMMAND if we are root.
std::string as_root(const std::string& command);

/// The directory itself, or the nearest one above it that is there. `path` is absolute.
std::string nearest_existing(std::string path);

/// A number or word of /proc/sys, without the newline; "" if there is none.
std::string sysctl(const std::string& name);

}  // namespace sbx::sys
