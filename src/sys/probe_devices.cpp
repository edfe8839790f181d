// What the kernel gives inside a user namespace: FUSE, tap devices, overlay, and filters for our own processes.

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope_exit.hpp"
#include "sys/file.hpp"
#include "sys/landlock.hpp"
#include "sys/netdev.hpp"
#include "sys/probe.hpp"
#include "sys/probe_run.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

Result<void> check(long result, const char* op, std::string_view subject) {
  if (result < 0) {
    return fail(Error::system(op, subject, static_cast<int>(-result)));
  }
  return {};
}

/// What to do about a device that could not be used: `module` is not loaded, or the node is closed to us.
void explain_device(Fact& fact, const Trial& trial, const std::string& node,
                    const std::string& module) {
  fact.found = trial.text;
  if (trial.sys_errno == ENOENT || trial.sys_errno == ENODEV || trial.sys_errno == ENXIO) {
    fact.remedy = as_root("modprobe " + module);
  } else if (trial.sys_errno == EACCES) {
    fact.remedy = as_root("chmod 666 " + node);
  } else if (trial.sys_errno == EPERM) {
    fact.remedy =
        fmt::format("give the container you are in the device: docker run --device {} ...", node);
  }
}

// A fuse mount needs no server to come about: INIT is the first message, and nobody waits for it here.
Result<std::string> try_fuse() {
  SBX_TRY(enter_trial_namespaces(true, false));
  const long fd = raw::open(raw::kCwd, "/dev/fuse", O_RDWR);
  SBX_TRY(check(fd, "open", "/dev/fuse"));
  const std::string options = fmt::format("fd={},rootmode=40000,user_id=0,group_id=0", fd);
  SBX_TRY(check(raw::mount("sbx-probe", "/proc", "fuse", 0, options.c_str()),
                "mount a FUSE file system at", "/proc"));
  return std::string("/dev/fuse opens and mounts in a user namespace");
}

Result<std::string> try_tun() {
  SBX_TRY(enter_trial_namespaces(false, true));
  TapConfig config;
  config.ipv6.address = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
  config.ipv6.gateway = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  const FsResult<Fd> tap = make_tap(config);
  if (!tap) {
    return fail(Error::system("make a tap device with", "/dev/net/tun", tap.error().value()));
  }
  return std::string("/dev/net/tun opens and makes a device in a network namespace");
}

Result<void> write_small(const std::string& path, std::string_view text) {
  return write_file_at(AT_FDCWD, path, text, 0644, Durability::kCached);
}

/// What a sandbox does to its files all the time, on a lower tree of /lower.
Result<void> exercise_overlay(const std::string& root) {
  const Fd file =
      SBX_TRY(open_at(AT_FDCWD, root + "/merged/file", O_WRONLY | O_APPEND));  // copy-up
  SBX_TRY(write_full(file.get(), "more", "file"));
  SBX_TRY(rename_at(AT_FDCWD, root + "/merged/file", AT_FDCWD, root + "/merged/moved"));
  SBX_TRY(symlink_at("moved", AT_FDCWD, root + "/merged/link"));
  SBX_TRY(remove_tree_at(
      AT_FDCWD, root + "/merged/dir"));  // a whiteout, then an opaque directory in its place
  SBX_TRY(make_dir_at(AT_FDCWD, root + "/merged/dir", 0755));
  if (exists_at(AT_FDCWD, root + "/merged/dir/inner")) {
    return fail(Error::make(ErrorCode::kUnsupported, "use kernel overlay", "",
                            "a removed directory came back"));
  }
  if (SBX_TRY(read_file_at(AT_FDCWD, root + "/lower/file", 64)) != "lower") {
    return fail(Error::make(ErrorCode::kUnsupported, "use kernel overlay", "",
                            "it wrote to its lower directory"));
  }
  return {};
}

Result<std::string> try_overlay(const std::string& root) {
  SBX_TRY(enter_trial_namespaces(true, false));
  for (const char* name : {"/lower", "/upper", "/work", "/merged", "/lower/dir"}) {
    SBX_TRY(make_dir_at(AT_FDCWD, root + name, 0755));
  }
  SBX_TRY(write_small(root + "/lower/file", "lower"));
  SBX_TRY(write_small(root + "/lower/dir/inner", "inner"));
  const std::string options =
      fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work,userxattr", root);
  SBX_TRY(check(raw::mount("sbx-probe", (root + "/merged").c_str(), "overlay", 0, options.c_str()),
                "mount overlay at", root));
  SBX_TRY(exercise_overlay(root));
  return std::string("works in a user namespace, upper directory on the store's file system");
}

}  // namespace

Fact probe_fuse() {
  Fact fact{"fuse", "FUSE", FactStatus::kOk, "", "", "", true};
  const Trial trial = try_out(try_fuse);
  fact.found = trial.text;
  if (!trial.passed) {
    fact.status = FactStatus::kMissing;
    fact.consequence = "no sandbox gets a root file system";
    explain_device(fact, trial, "/dev/fuse", "fuse");
  }
  return fact;
}

Fact probe_tun() {
  Fact fact{"net", "tap devices", FactStatus::kOk, "", "", ""};
  const Trial trial = try_out(try_tun);
  fact.found = trial.text;
  if (!trial.passed) {
    fact.status = FactStatus::kMissing;
    fact.consequence = "no network of its own for a sandbox: --net host and --net none only";
    explain_device(fact, trial, "/dev/net/tun", "tun");
  }
  return fact;
}

Fact probe_overlay(const std::string& data_root) {
  Fact fact{"overlay", "kernel overlay", FactStatus::kOk, "", "", ""};
  std::string root = nearest_existing(data_root) + "/.sbx-probe-XXXXXX";
  if (::mkdtemp(root.data()) == nullptr) {
    fact.status = FactStatus::kDegraded;
    fact.found = "not tried: " + root.substr(0, root.rfind('/')) + " is not writable";
    return fact;
  }
  const ScopeExit clean_up([&] { (void)remove_tree_at(AT_FDCWD, root); });  // nobody to tell
  const Trial trial = try_out([&] { return try_overlay(root); });
  fact.found = trial.text;
  if (!trial.passed) {
    fact.status = FactStatus::kDegraded;
    fact.consequence = "sandboxes use FUSE alone, with slower metadata";
    fact.remedy = "use Linux 5.11 or later and a store on ext4, xfs or btrfs";
  }
  return fact;
}

Fact probe_seccomp() {
  Fact fact{"seccomp", "system call filters", FactStatus::kOk, "", "", ""};
  const std::uint32_t action = SECCOMP_RET_USER_NOTIF;
  const std::uint32_t kill = SECCOMP_RET_KILL_PROCESS;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) != 0) {
    fact.status = FactStatus::kMissing;
    fact.found = "the kernel has none";
    fact.consequence = "no sandbox has a network: its helper is not run unconfined";
    fact.remedy = "use a kernel with CONFIG_SECCOMP_FILTER=y";
  } else if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) {
    fact.status = FactStatus::kDegraded;
    fact.found = "without user notification";
    fact.consequence = "with one id, chown fails in sandboxes instead of being recorded";
    fact.remedy = "use Linux 5.0 or later";
  } else {
    fact.found = "with user notification";
  }
  return fact;
}

Fact probe_landlock() {
  Fact fact{"landlock", "Landlock", FactStatus::kOk, "", "", ""};
  const int version = Landlock::interface_version();
  fact.found = fmt::format("interface version {}", version);
  if (version == 0) {
    fact.status = FactStatus::kDegraded;
    fact.found = "the kernel has none, or it is not in its lsm= list";
    fact.consequence = "the FUSE server is confined by capabilities and system calls only";
    fact.remedy = "boot with landlock in the lsm= kernel parameter (Linux 5.13 or later)";
  }
  return fact;
}

}  // namespace sbx::sys
