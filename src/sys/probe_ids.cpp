// Who we can be: user namespaces and the ids in them.

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/idmap.hpp"
#include "sys/ns.hpp"
#include "sys/probe.hpp"
#include "sys/probe_run.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

constexpr std::uint32_t kFullRange = 65536;  // images use ids up to 65534, "nobody"

const PackageNames kIdMapPackages{"uidmap", "shadow-utils", "shadow", "shadow", "shadow-uidmap"};

/// Why a user namespace could not be made or used, from the knobs distributions have put there.
void explain_userns(Fact& fact, const Trial& trial) {
  if (sysctl("kernel.unprivileged_userns_clone") ==
      "0") {  // Debian before 11, Arch's hardened kernel
    fact.found = "kernel.unprivileged_userns_clone=0";
    fact.remedy = as_root("sysctl -w kernel.unprivileged_userns_clone=1");
  } else if (sysctl("user.max_user_namespaces") == "0") {  // RHEL 7, hardened sites
    fact.found = "user.max_user_namespaces=0";
    fact.remedy = as_root("sysctl -w user.max_user_namespaces=15000");
  } else if (sysctl("kernel.apparmor_restrict_unprivileged_userns") ==
             "1") {  // Ubuntu 23.10 and later
    fact.found = "AppArmor restricts them: kernel.apparmor_restrict_unprivileged_userns=1";
    fact.remedy = as_root("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
  } else if (trial.sys_errno == ENOSPC || trial.sys_errno == EUSERS) {
    fact.found = fmt::format("{} (limit user.max_user_namespaces={}, nesting at most 32 deep)",
                             trial.text, sysctl("user.max_user_namespaces"));
    fact.remedy = as_root("sysctl -w user.max_user_namespaces=15000");
  } else if (trial.sys_errno == EPERM) {
    fact.found = trial.text + " (inside a container or chroot whose engine forbids it)";
    fact.remedy =
        "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ...";
  } else if (trial.sys_errno == EINVAL || trial.sys_errno == ENOSYS) {
    fact.found = trial.text + " (kernel built without CONFIG_USER_NS)";
    fact.remedy = "use a kernel with CONFIG_USER_NS=y";
  } else {
    fact.found = trial.text;
  }
}

/// The first id behind all ranges of a subid file, so that the remedy gives away nobody else's ids.
std::uint32_t first_free_id(const char* path) {
  std::uint32_t free = 100000;
  std::string_view text;
  const std::string content = read_file_at(AT_FDCWD, path, std::size_t{16} << 20U).value_or("");
  text = content;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const std::size_t colon = line.find(':');
    for (const IdRange& range : parse_subids(line, line.substr(0, colon), 0)) {
      free = std::max(free, range.first + range.count);
    }
  }
  return free;
}

std::uint64_t total(const std::vector<IdRange>& ranges) {
  std::uint64_t sum = 0;
  for (const IdRange& range : ranges) {
    sum += range.count;
  }
  return sum;
}

/// Lets the tools map our id and one range into a namespace of a second process. Needs to run inside a trial.
Result<std::string> map_by_tools(const Invoker& who) {
  const SubIds subids = find_subids(who.name, who.uid);
  ChannelPair channel = SBX_TRY(make_channel());
  const Cloned cloned = SBX_TRY(fork_role());
  if (cloned.pid == 0) {
    const bool made = ::unshare(CLONE_NEWUSER) == 0;
    char byte = made ? 'y' : 'n';
    (void)raw::write(channel.theirs.get(), &byte, 1);
    channel.ours.reset();
    (void)raw::read(channel.theirs.get(), &byte, 1);  // until the other side has looked
    raw::exit(0);
  }
  channel.theirs.reset();
  char byte = 'n';
  if (raw::read(channel.ours.get(), &byte, 1) != 1 || byte != 'y') {
    return fail(Error::make(ErrorCode::kDenied, "make a user namespace", "", "see above"));
  }
  IdMaps maps;
  maps.uids = {{0, who.uid, 1}, {1, subids.uids.front().first, subids.uids.front().count}};
  maps.gids = {{0, who.gid, 1}, {1, subids.gids.front().first, subids.gids.front().count}};
  MapWriting writing = SBX_TRY(MapWriting::start(cloned.pid, maps, MapWriter::kTools, false));
  SBX_TRY(writing.finish());
  return std::string("they map your ranges");
}

/// Why an installed newuidmap cannot map: it has lost its privilege, or may not use it.
void explain_tool(Fact& fact, const std::string& tool) {
  const Result<struct stat> info = stat_at(AT_FDCWD, tool);
  const bool set_uid = info && (info->st_mode & S_ISUID) != 0;
  const bool file_capability = ::getxattr(tool.c_str(), "security.capability", nullptr, 0) > 0;
  struct statvfs file_system {};
  const bool nosuid =
      ::statvfs(tool.c_str(), &file_system) == 0 && (file_system.f_flag & ST_NOSUID) != 0;
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
    fact.found +=
        " (this process has no_new_privs: started by a sandbox or a service with NoNewPrivileges=)";
    fact.remedy = "start sbx from a normal login";
  } else if (nosuid) {
    fact.found += fmt::format(" ({} lies on a nosuid mount)", tool);
    fact.remedy = as_root("mount -o remount,suid " + tool.substr(0, tool.rfind('/')));
  } else if (!set_uid && !file_capability) {
    fact.found += fmt::format(" ({} is neither set-uid nor has file capabilities)", tool);
    fact.remedy = as_root(
        fmt::format("chmod u+s {0}/newuidmap {0}/newgidmap", tool.substr(0, tool.rfind('/'))));
  }
}

}  // namespace

Fact probe_kernel() {
  utsname name{};
  (void)::uname(&name);  // cannot fail with a valid buffer
  Fact fact{
      "kernel", "kernel", FactStatus::kOk, fmt::format("{} {}", name.sysname, name.release), "",
      "",       true};
  // mount_setattr(2) is the youngest system call that nothing can stand in for: Linux 5.12. EBADF tells it is there.
  if (raw::set_mount_attributes(-1, {}, false) == -ENOSYS) {
    fact.status = FactStatus::kMissing;
    fact.consequence = "no sandbox can be made: mount_setattr(2) is missing";
    fact.remedy = "use Linux 5.12 or later";
  }
  return fact;
}

Fact probe_user_namespaces() {
  Fact fact{"userns", "user namespaces", FactStatus::kOk, "", "", "", true};
  const Trial trial = try_out([]() -> Result<std::string> {
    SBX_TRY(enter_trial_namespaces(true, true));
    // AppArmor on Ubuntu lets the namespace be made, and then takes the capabilities in it away.
    const long mounted = raw::mount("tmpfs", "/proc", "tmpfs", 0, nullptr);
    if (mounted < 0) {
      return fail(Error::system("mount in a user namespace", "", static_cast<int>(-mounted)));
    }
    return std::string("user, mount and network namespaces work");
  });
  fact.found = trial.text;
  if (!trial.passed) {
    fact.status = FactStatus::kMissing;
    fact.consequence = "no sandbox can be made";
    explain_userns(fact, trial);
  }
  return fact;
}

Fact probe_subordinate_ids(const Invoker& who) {
  Fact fact{"subids", "subordinate ids", FactStatus::kOk, "", "", ""};
  if (who.uid == 0) {
    fact.found = "root needs none";
    return fact;
  }
  const SubIds subids = find_subids(who.name, who.uid);
  const std::uint64_t uids = total(subids.uids);
  const std::uint64_t gids = total(subids.gids);
  fact.found = fmt::format("{} user ids and {} group ids for {}", uids, gids, who.name);
  if (uids >= kFullRange && gids >= kFullRange) {
    return fact;
  }
  const std::uint32_t first = std::max(first_free_id("/etc/subuid"), first_free_id("/etc/subgid"));
  fact.status = FactStatus::kDegraded;
  fact.consequence = uids == 0 || gids == 0
                         ? "sandboxes have one id: other users of an image exist in name only"
                         : "ids of an image above the range are shown as nobody's";
  fact.remedy = as_root(fmt::format("usermod --add-subuids {0}-{1} --add-subgids {0}-{1} {2}",
                                    first, first + kFullRange - 1, who.name));
  return fact;
}

Fact probe_idmap_tools(const Invoker& who) {
  Fact fact{"idmap", "newuidmap and newgidmap", FactStatus::kOk, "", "", ""};
  if (who.uid == 0) {
    fact.found = "root needs none";
    return fact;
  }
  const std::optional<IdMapTools> tools = find_idmap_tools();
  const SubIds subids = find_subids(who.name, who.uid);
  fact.consequence = "sandboxes have one id: other users of an image exist in name only";
  if (!tools) {
    fact.status = FactStatus::kDegraded;
    fact.found = "not installed";
    fact.remedy = install_command(kIdMapPackages);
    return fact;
  }
  if (subids.uids.empty() || subids.gids.empty()) {
    fact.found = tools->newuidmap + ", not tried: there are no subordinate ids";
    fact.consequence.clear();
    return fact;
  }
  const Trial trial = try_out([&] { return map_by_tools(who); });
  fact.found = trial.text;
  if (trial.passed) {
    fact.consequence.clear();
  } else {
    fact.status = FactStatus::kDegraded;
    explain_tool(fact, tools->newuidmap);
  }
  return fact;
}

}  // namespace sbx::sys
