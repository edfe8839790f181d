#include <fmt/format.h>

#include <cerrno>

#include "sandbox/stage.hpp"

namespace sbx::sandbox {
namespace {

const MountStep* mount_of(const Plan& plan, const StageReport& report) {
  return report.index < plan.mounts.size() ? &plan.mounts[report.index] : nullptr;
}

Error explain_mount(const Plan& plan, const StageReport& report) {
  const MountStep* step = mount_of(plan, report);
  const std::string target = step == nullptr ? std::string("?") : step->target;
  Error error = Error::system("mount at", target, report.error);
  if (step != nullptr && step->kind == MountStep::Kind::kInstance) {
    error.op = fmt::format("mount {} at", step->fs_type);
    if (report.error == EPERM && (step->fs_type == "proc" || step->fs_type == "sysfs")) {
      // mount_too_revealing(): the kernel gives a new instance only to who already sees all of an old one.
      error.reason = fmt::format(
          "Operation not permitted: parts of /{} are hidden from us, as in another sandbox",
          step->fs_type == "proc" ? "proc" : "sys");
      error.hint =
          "start the outer sandbox with --security-opt unmask=ALL; see sbx-run(1), NESTING";
    }
  } else if (step != nullptr && step->kind == MountStep::Kind::kBind) {
    error.op = fmt::format("mount '{}' at", printable(step->source));
  }
  if (report.error == ELOOP) {
    error.reason = "there is a symbolic link in this path of the image, which is not followed";
  }
  return error;
}

Error explain_exec(const Plan& plan, const StageReport& report) {
  const std::string& name = plan.command.argv.front();
  switch (report.error) {
    case ENOENT:
    case ENOTDIR: {
      const bool by_path = name.find('/') != std::string::npos;
      return Error::make(ErrorCode::kCommandNotFound, "run", name,
                         by_path ? "no such file in the image, or its interpreter is missing"
                                 : "command not found in the PATH of the image");
    }
    case ENOEXEC:
      return Error::make(ErrorCode::kCommandNotRunnable, "run", name,
                         "not a program for this machine (exec format error)")
          .with_hint(
              "a script needs a first line like #!/bin/sh; an image must be for this architecture");
    default: {
      Error error = Error::system("run", name, report.error);
      error.code = ErrorCode::kCommandNotRunnable;
      return error;
    }
  }
}

Error explain_beneath(const MountStep* step, int why) {
  Error error = Error::system("mount the subpath", step == nullptr ? "" : step->beneath, why);
  if (why == ELOOP || why == EXDEV) {
    error.reason = "there is a symbolic link in it, which is not followed";
  }
  error.hint = why == ENOENT ? "a subpath must be there before it is mounted" : "";
  return error;
}

/// What to do about a device that cannot be opened.
std::string device_hint(int why) {
  return why == ENOENT
             ? "in another sandbox: start that one with --device /dev/fuse --device /dev/net/tun "
               "--security-opt unmask=ALL; else 'sbx doctor' tells what is missing"
             : "'sbx doctor' tells what is missing";
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): one case per line
Error explain_step(const Plan& plan, const StageReport& report) {
  const int why = report.error;
  const MountStep* step = mount_of(plan, report);
  switch (report.step) {
    case Step::kNone:
    case Step::kParentGone:
      return Error::make(ErrorCode::kSystem, "start the sandbox", "",
                         "its init process ended unexpectedly");
    case Step::kLoopback:
      return Error::system("bring up the loopback device", "", why);
    case Step::kTap:
      return Error::system("make the network device from", "/dev/net/tun", why)
          .with_hint(device_hint(why));
    case Step::kSendTap:
      return Error::system("hand the network device to the network process", "", why);
    case Step::kBindSource:
      return Error::system("mount from the host", step == nullptr ? "" : step->source, why);
    case Step::kBindBeneath:
      return explain_beneath(step, why);
    case Step::kNotADevice:
      return Error::make(ErrorCode::kInvalidArgument, "use as a device",
                         step == nullptr ? "" : step->source, "it is not a character device");
    case Step::kIds:
      return Error::system("become root of the sandbox", "", why);
    case Step::kPrivate:
      return Error::system("detach the mounts of the sandbox from the host's", "", why);
    case Step::kOpenFuse:
      return Error::system("open", "/dev/fuse", why).with_hint(device_hint(why));
    case Step::kMountRoot:
      return Error::system("mount the root file system at", plan.root_point, why)
          .with_hint("'sbx doctor' tells what is missing");
    case Step::kSendFuse:
      return Error::system("hand the root file system to its process", "", why);
    case Step::kOverlay:
      return Error::system("mount the kernel's overlay with changes in",
                           plan.overlay ? plan.overlay->upper : "", why)
          .with_hint("--overlay=fuse works everywhere");
    case Step::kOpenRoot:
      return Error::system("open the root of the sandbox", "", why);
    case Step::kMountTarget:
    case Step::kMakeTarget:
    case Step::kMount:
    case Step::kMountAttributes:
      return explain_mount(plan, report);
    case Step::kReadOnlyRoot:
      return Error::system("make the root file system read-only", "", why);
    case Step::kPivot:
      return Error::system("change to the root of the sandbox", "", why);
    case Step::kWorkingDirectory:
      return Error::system("change to the working directory", plan.command.working_directory, why);
    case Step::kHostname:
      return Error::system("set the host name", plan.hostname, why);
    case Step::kTerminal:
      return Error::system("make a terminal for the sandbox", "", why);
    case Step::kKeyring:
      return Error::system("make a session keyring", "", why);
    case Step::kCapabilities:
      return Error::system("limit the capabilities", "", why);
    case Step::kFork:
      return Error::system("start the command", "", why);
    case Step::kGroups:
      return Error::system("set the supplementary groups", "", why);
    case Step::kUser:
      return Error::system("become user",
                           fmt::format("{}:{}", plan.credentials.uid, plan.credentials.gid), why)
          .with_hint(
              "ids that are not mapped into the sandbox cannot be used; see 'sbx run --dry-run'");
    case Step::kStandardStreams:
      return Error::system("connect the standard streams", "", why);
    case Step::kExec:
      return explain_exec(plan, report);
  }
  return Error::make(ErrorCode::kSystem, "start the sandbox", "", "unknown step");
}

}  // namespace sbx::sandbox
