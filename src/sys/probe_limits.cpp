// What there is room for: disk, limits, control groups, and what the sandbox's network borrows from the host.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>

#include "base/scope_exit.hpp"
#include "sys/file.hpp"
#include "sys/probe.hpp"
#include "sys/probe_run.hpp"

namespace sbx::sys {
namespace {

constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30U;
constexpr std::uint64_t kLeastFreeBytes =
    2 * kGibibyte;                                 // a distribution's image with a compiler in it
constexpr std::uint64_t kLeastDescriptors = 4096;  // the FUSE server keeps files of the layers open
constexpr std::uint64_t kLeastProcesses = 512;
constexpr gid_t kNobody = 65534;

enum class Reach { kLocal, kShared };

struct FileSystemType {
  std::uint32_t
      magic;  // statfs(2), f_type; those missing in <linux/magic.h> from the projects' sources
  const char* name;
  Reach reach;
};
constexpr std::array<FileSystemType, 16> kFileSystems{{{0xEF53, "ext4", Reach::kLocal},
                                                       {0x58465342, "xfs", Reach::kLocal},
                                                       {0x9123683E, "btrfs", Reach::kLocal},
                                                       {0x2FC12FC1, "zfs", Reach::kLocal},
                                                       {0xF2F52010, "f2fs", Reach::kLocal},
                                                       {0xCA451A4E, "bcachefs", Reach::kLocal},
                                                       {0x01021994, "tmpfs", Reach::kLocal},
                                                       {0x794C7630, "overlay", Reach::kLocal},
                                                       {0x6969, "nfs", Reach::kShared},
                                                       {0xFF534D42, "cifs", Reach::kShared},
                                                       {0xFE534D42, "smb2", Reach::kShared},
                                                       {0x0BD00BD0, "lustre", Reach::kShared},
                                                       {0x47504653, "gpfs", Reach::kShared},
                                                       {0x19830326, "beegfs", Reach::kShared},
                                                       {0x00C36400, "ceph", Reach::kShared},
                                                       {0x01021997, "9p", Reach::kShared}}};

FileSystemType file_system_of(const std::string& path) {
  struct statfs info {};
  const std::uint32_t magic =
      ::statfs(path.c_str(), &info) == 0 ? static_cast<std::uint32_t>(info.f_type) : 0;
  const auto found = std::find_if(kFileSystems.begin(), kFileSystems.end(),
                                  [&](const FileSystemType& type) { return type.magic == magic; });
  return found == kFileSystems.end() ? FileSystemType{magic, "another file system", Reach::kLocal}
                                     : *found;
}

struct Trialled {
  bool writable = false;
  bool user_xattrs = false;
};

Trialled try_to_write(const std::string& directory) {
  std::string name = directory + "/.sbx-probe-XXXXXX";
  const Fd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) {
    return {};
  }
  const ScopeExit clean_up([&] { (void)unlink_at(AT_FDCWD, name); });  // nobody to tell
  return {true, ::fsetxattr(file.get(), "user.sbx.probe", "1", 1, 0) == 0};
}

std::string in_gibibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(kGibibyte));
}

std::uint64_t hard_limit(__rlimit_resource resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 ? limit.rlim_max : 0;
}

std::string limit_text(std::uint64_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

/// Our control group in the unified hierarchy: the line "0::PATH" of /proc/self/cgroup.
std::string own_cgroup() {
  const Result<Fd> file = open_at(AT_FDCWD, "/proc/self/cgroup", O_RDONLY);
  std::istringstream lines(file ? read_fd(file->get(), 65536, "/proc/self/cgroup").value_or("")
                                : "");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::")) {
      return line.substr(3);
    }
  }
  return {};
}

}  // namespace

Fact probe_store(const std::string& data_root) {
  Fact fact{"store", "image store", FactStatus::kOk, "", "", "", true};
  const std::string directory = nearest_existing(data_root);
  struct statvfs info {};
  const bool known = ::statvfs(directory.c_str(), &info) == 0;
  const std::uint64_t free = known ? std::uint64_t{info.f_bavail} * info.f_frsize : 0;
  const FileSystemType type = file_system_of(directory);
  fact.found = fmt::format("{} on {}, {} free", data_root, type.name, in_gibibytes(free));
  const Trialled trialled = try_to_write(directory);
  if (!trialled.writable) {
    fact.status = FactStatus::kMissing;
    fact.found = fmt::format("{} is not writable", directory);
    fact.consequence = "no image can be kept and no container run";
    fact.remedy = "export SBX_ROOT=/some/directory/of/yours";
  } else if (free < kLeastFreeBytes || (info.f_files != 0 && info.f_favail < 1000)) {
    fact.status = FactStatus::kDegraded;
    fact.consequence = "images of a usual size do not fit";
    fact.remedy = "export SBX_ROOT=/some/larger/file/system";
  } else if (!trialled.user_xattrs) {
    fact.status = FactStatus::kDegraded;
    fact.found += ", no user extended attributes";
    fact.consequence =
        "kernel overlay cannot be used, and owners are kept in files beside the data";
    fact.remedy = "export SBX_ROOT=/a/local/directory (ext4, xfs, btrfs)";
  } else if (type.reach == Reach::kShared) {
    fact.status = FactStatus::kDegraded;
    fact.consequence = "containers write over the network";
    fact.remedy = "export SBX_ROOT=/a/local/directory";
  }
  return fact;
}

Fact probe_cgroup() {
  Fact fact{"cgroup", "control groups", FactStatus::kOk, "", "", ""};
  const std::string path = own_cgroup();
  const std::string directory = "/sys/fs/cgroup" + path;
  const std::string controllers =
      read_file_at(AT_FDCWD, directory + "/cgroup.controllers", 4096).value_or("");
  const auto has = [&](const char* name) { return controllers.find(name) != std::string::npos; };
  fact.consequence = "no limits on memory, CPU and processes of a sandbox";
  if (path.empty() || !exists_at(AT_FDCWD, directory + "/cgroup.procs")) {
    fact.status = FactStatus::kDegraded;
    fact.found = "no unified hierarchy (version 2) at /sys/fs/cgroup";
    fact.remedy = "boot with systemd.unified_cgroup_hierarchy=1";
  } else if (::access((directory + "/cgroup.procs").c_str(), W_OK) != 0) {
    fact.status = FactStatus::kDegraded;
    fact.found = fmt::format("{} is not delegated to you", path);
    fact.remedy = "systemd-run --user --scope -p Delegate=yes $SHELL";
  } else if (!has("memory") || !has("pids")) {
    fact.status = FactStatus::kDegraded;
    fact.found = fmt::format("{} has the controllers '{}'", path,
                             controllers.substr(0, controllers.find('\n')));
    fact.remedy =
        as_root("systemctl set-property user.slice MemoryAccounting=yes TasksAccounting=yes");
  } else {
    fact.found = fmt::format("{} is ours", path);
    fact.consequence.clear();
  }
  return fact;
}

Fact probe_limits() {
  Fact fact{"limits", "limits", FactStatus::kOk, "", "", ""};
  const std::uint64_t files = hard_limit(RLIMIT_NOFILE);
  const std::uint64_t processes = hard_limit(RLIMIT_NPROC);
  fact.found = fmt::format("{} open files, {} processes", limit_text(files), limit_text(processes));
  const bool few_files = files < kLeastDescriptors;
  if (few_files || processes < kLeastProcesses) {
    fact.status = FactStatus::kDegraded;
    fact.consequence =
        few_files ? "large images and many connections are slower: few descriptors can be kept"
                  : "builds in sandboxes may run out of processes";
    fact.remedy =
        fmt::format("echo '* hard {}' | {} /etc/security/limits.d/sbx.conf, and log in again",
                    few_files ? "nofile 65536" : "nproc 4096", as_root("tee -a"));
  }
  return fact;
}

Fact probe_ping(const Invoker& who) {
  Fact fact{"ping", "ICMP echo", FactStatus::kOk, "", "", ""};
  std::istringstream range(sysctl("net.ipv4.ping_group_range"));
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  range >> first >> last;
  const auto allowed = [&](gid_t gid) { return first <= gid && gid <= last; };
  // The network process pings, with our groups; root's becomes nobody.
  const bool may =
      who.uid == 0 ? allowed(kNobody)
                   : allowed(who.gid) || std::any_of(who.groups.begin(), who.groups.end(), allowed);
  fact.found = fmt::format("net.ipv4.ping_group_range is {} {}", first, last);
  if (!may) {
    fact.status = FactStatus::kDegraded;
    fact.consequence = "ping from a sandbox reaches its gateway only";
    fact.remedy = as_root("sysctl -w net.ipv4.ping_group_range='0 2147483647'");
  }
  return fact;
}

Fact probe_resolver() {
  Fact fact{"dns", "name server", FactStatus::kOk, "", "", ""};
  const std::string text = read_file_at(AT_FDCWD, "/etc/resolv.conf", 65536).value_or("");
  std::istringstream lines(text);
  for (std::string line; fact.found.empty() && std::getline(lines, line);) {
    if (line.starts_with("nameserver")) {
      fact.found = printable(line);
    }
  }
  if (fact.found.empty()) {
    fact.status = FactStatus::kDegraded;
    fact.found = "/etc/resolv.conf names none";
    fact.consequence = "no names are resolved in sandboxes";
    fact.remedy = as_root("sh -c 'echo nameserver 9.9.9.9 >> /etc/resolv.conf'");
  }
  return fact;
}

}  // namespace sbx::sys
