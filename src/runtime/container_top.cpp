#include "runtime/container_top.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "runtime/container_processes.hpp"
#include "runtime/joinable.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 31> kHeadings{
    {{"args", "COMMAND"},       {"comm", "COMMAND"},     {"etime", "ELAPSED"},
     {"group", "GROUP"},        {"hgroup", "HGROUP"},    {"hgroups", "HGROUPS"},
     {"hpid", "HPID"},          {"huser", "HUSER"},      {"nice", "NI"},
     {"pcpu", "%CPU"},          {"pgid", "PGID"},        {"pid", "PID"},
     {"ppid", "PPID"},          {"rgroup", "RGROUP"},    {"rss", "RSS"},
     {"ruser", "RUSER"},        {"seccomp", "SECCOMP"},  {"state", "STATE"},
     {"stime", "STIME"},        {"time", "TIME"},        {"tty", "TTY"},
     {"user", "USER"},          {"vsz", "VSZ"},          {"docker.uid", "UID"},
     {"docker.pid", "PID"},     {"docker.ppid", "PPID"}, {"docker.c", "C"},
     {"docker.stime", "STIME"}, {"docker.tty", "TTY"},   {"docker.time", "TIME"},
     {"docker.cmd", "CMD"}}};
constexpr std::array<std::string_view, 8> kDocker{"docker.uid",  "docker.pid",   "docker.ppid",
                                                  "docker.c",    "docker.stime", "docker.tty",
                                                  "docker.time", "docker.cmd"};
constexpr std::uint64_t kMinute = 60;
constexpr std::uint64_t kHour = 3600;
constexpr std::uint64_t kDay = 86400;

/// As ps: "[[DD-]HH:]MM:SS", or with `hours` always "[DD-]HH:MM:SS".
std::string duration(std::uint64_t seconds, bool hours) {
  const std::string rest =
      fmt::format("{:02}:{:02}", seconds / kMinute % kMinute, seconds % kMinute);
  std::string out;
  if (seconds >= kDay) {
    out = fmt::format("{}-", seconds / kDay);
  }
  if (hours || seconds >= kHour) {
    out += fmt::format("{:02}:", seconds / kHour % 24);
  }
  return out + rest;
}

double age_of(const TopProcess& process, const TopClock& clock) {
  return std::max(0.0, clock.boot_seconds - static_cast<double>(process.stat.start) /
                                                static_cast<double>(clock.ticks));
}

double cpu_share(const TopProcess& process, const TopClock& clock) {
  const double age = age_of(process, clock);
  const double used =
      static_cast<double>(process.stat.cpu_time()) / static_cast<double>(clock.ticks);
  return age > 0 ? used * 100 / age : 0;
}

/// As ps: "14:05" if it was less than a day ago, else "Nov22".
std::string start_text(const TopProcess& process, const TopClock& clock) {
  const double age = age_of(process, clock);
  const time_t start = static_cast<time_t>(static_cast<double>(clock.now) - age);
  struct tm parts {};
  (void)::localtime_r(&start, &parts);
  std::array<char, 32> text{};
  const bool today = age < static_cast<double>(kDay);
  return {text.data(), ::strftime(text.data(), text.size(), today ? "%H:%M" : "%b%d", &parts)};
}

std::string list_of(const std::vector<gid_t>& ids) {
  return fmt::format("{}", fmt::join(ids, ","));
}

/// A process may have written anything into its arguments: a line stays a line, and the terminal what it is.
std::string one_line(const std::string& text) { return printable(text, 4096); }

std::string times_field(std::string_view what, const TopProcess& process, const TopClock& clock) {
  if (what == "etime") {
    return duration(static_cast<std::uint64_t>(age_of(process, clock)), false);
  }
  if (what == "time") {
    return duration(process.stat.cpu_time() / clock.ticks, true);
  }
  if (what == "stime") {
    return start_text(process, clock);
  }
  return what == "c" ? fmt::format("{:.0f}", std::floor(cpu_share(process, clock)))
                     : fmt::format("{:.3f}", cpu_share(process, clock));
}

std::string inside_field(std::string_view what, const TopProcess& process) {
  return what == "user"     ? process.user
         : what == "ruser"  ? process.real_user
         : what == "group"  ? process.group
         : what == "rgroup" ? process.real_group
         : what == "pid"    ? std::to_string(process.pid)
                            : std::to_string(process.parent);
}

std::string seccomp_word(int mode) {
  return mode == 0 ? "disabled" : mode == 1 ? "strict" : "filter";
}

/// The descriptors in the words; kInvalidArgument for what is none.
Result<std::vector<std::string_view>> read_descriptors(const std::vector<std::string>& words) {
  std::vector<std::string_view> out;
  for (const std::string& word : words) {
    for (std::string_view rest = word; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      if (top_heading(one).empty() || one.starts_with("docker.")) {
        std::string known;
        for (const auto& [name, heading] : kHeadings) {
          known += name.starts_with("docker.") ? "" : " " + std::string(name);
        }
        return fail(Error::make(ErrorCode::kUnsupported, "list processes by", word,
                                one.starts_with('-') ? "sbx runs no ps, and takes no options of it"
                                                     : "there is no such descriptor")
                        .with_hint("the descriptors are" + known));
      }
      out.push_back(one);
    }
  }
  return out.empty() ? std::vector<std::string_view>(kDocker.begin(), kDocker.end()) : out;
}

/// What is needed to call things by their names inside.
struct Names {
  const oci::RuntimeSpec& spec;
  std::string passwd;
  std::string group;

  static std::uint32_t inside(const std::vector<oci::SpecIdMapping>& maps, std::uint32_t id) {
    constexpr std::uint32_t kNobody = 65534;
    for (const oci::SpecIdMapping& map : maps) {
      if (id >= map.host_id && id - map.host_id < map.size) {
        return map.container_id + (id - map.host_id);
      }
    }
    return kNobody;
  }
  [[nodiscard]] std::string user(uid_t id) const {
    return name_of_id(passwd, inside(spec.uid_mappings, id));
  }
  [[nodiscard]] std::string group_name(gid_t id) const {
    return name_of_id(group, inside(spec.gid_mappings, id));
  }
};

Result<Names> find_names(const std::string& data_root, const Container& container,
                         const ContainerConfig& config) {
  constexpr sys::Namespaces kFiles{.user = true,
                                   .mount = true,
                                   .pid = false,
                                   .ipc = false,
                                   .uts = false,
                                   .cgroup = false,
                                   .net = false};
  const sys::Fd command = SBX_TRY(open_command(data_root, container, config.stored.init, kFiles));
  return Names{config.spec, SBX_TRY(read_inside(command.get(), kFiles, "/etc/passwd")),
               SBX_TRY(read_inside(command.get(), kFiles, "/etc/group"))};
}

/// All of them; `level`: how deep the container's pid namespace lies.
std::vector<TopProcess> describe(const std::vector<sys::ProcessStat>& found, const Names& names,
                                 pid_t first, std::size_t level) {
  std::vector<TopProcess> out;
  std::map<pid_t, pid_t> inside{{first, 1}};
  for (const sys::ProcessStat& stat : found) {
    Result<sys::ProcessStatus> status = sys::read_process_status(stat.pid);
    if (!status || status->pids.size() <= level) {
      continue;  // it has ended
    }
    TopProcess one;
    one.stat = stat;
    one.status = std::move(status).value();
    one.command = one_line(sys::command_line_of(stat));
    one.pid = inside[stat.pid] = one.status.pids[level];
    one.user = names.user(one.status.uid);
    one.real_user = names.user(one.status.real_uid);
    one.group = names.group_name(one.status.gid);
    one.real_group = names.group_name(one.status.real_gid);
    out.push_back(std::move(one));
  }
  for (TopProcess& one : out) {
    const auto parent = inside.find(one.stat.parent);
    one.parent = parent == inside.end() ? 0 : parent->second;  // as the kernel does: it is outside
  }
  return out;
}

}  // namespace

std::string_view top_heading(std::string_view descriptor) {
  for (const auto& [name, heading] : kHeadings) {
    if (name == descriptor) {
      return heading;
    }
  }
  return {};
}

std::string name_of_id(std::string_view accounts, std::uint32_t id) {
  const std::string number = std::to_string(id);
  while (!accounts.empty()) {
    const std::size_t end = std::min(accounts.find('\n'), accounts.size());
    const std::string_view line = accounts.substr(0, end);
    accounts.remove_prefix(std::min(end + 1, accounts.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || first == 0) {
      continue;
    }
    if (line.substr(second + 1, line.find(':', second + 1) - second - 1) == number) {
      return printable(line.substr(0, first), 64);
    }
  }
  return number;
}

std::string top_field(std::string_view descriptor, const TopProcess& process,
                      const TopClock& clock) {
  constexpr std::string_view kPrefix = "docker.";
  const bool docker = descriptor.starts_with(kPrefix);
  const std::string_view what = docker ? descriptor.substr(kPrefix.size()) : descriptor;
  const sys::ProcessStat& stat = process.stat;
  if (what == "args" || what == "cmd") {
    return process.command;
  }
  if (what == "comm") {
    return one_line(stat.name);
  }
  if (what == "tty") {
    return sys::terminal_name(stat.terminal);
  }
  if (what == "state") {
    return {stat.state};
  }
  if (what == "etime" || what == "time" || what == "stime" || what == "c" || what == "pcpu") {
    return times_field(what, process, clock);
  }
  if (what == "hgroups") {
    return list_of(process.status.groups);
  }
  if (what == "seccomp") {
    return seccomp_word(process.status.seccomp);
  }
  if (what == "rss" || what == "vsz") {
    return std::to_string((what == "rss" ? stat.resident_bytes : stat.virtual_bytes) / 1024);
  }
  if (what == "uid" || what == "huser") {
    return std::to_string(process.status.uid);
  }
  if (what == "hgroup") {
    return std::to_string(process.status.gid);
  }
  if (what == "nice" || what == "pgid") {
    return std::to_string(what == "nice" ? stat.nice : stat.group);
  }
  if (what == "hpid" || docker) {
    return std::to_string(what == "ppid" ? stat.parent : stat.pid);
  }
  return inside_field(what, process);
}

Result<TopTable> container_top(const std::string& data_root, const Container& given,
                               const std::vector<std::string>& words) {
  const std::vector<std::string_view> columns = SBX_TRY(read_descriptors(words));
  const Container container = SBX_TRY(settled(data_root, given));
  const std::string& id = container.state.id;
  if (!container.running()) {
    return fail(Error::make(ErrorCode::kBusy, "list processes of container", id.substr(0, 12),
                            "it is not running"));
  }
  const ContainerConfig config = SBX_TRY(read_container_config(data_root, id));
  const Names names = SBX_TRY(find_names(data_root, container, config));
  const pid_t first = container.state.init.pid;
  const std::size_t level = SBX_TRY(sys::read_process_status(first)).pids.size() - 1;
  const TopClock clock{sys::seconds_since_boot(), std::int64_t{::time(nullptr)},
                       sys::ticks_per_second()};
  TopTable out(1);
  for (const std::string_view column : columns) {
    out.front().emplace_back(top_heading(column));
  }
  const auto found = SBX_TRY(container_processes(container, config.stored.init));
  for (const TopProcess& process : describe(found, names, first, level)) {
    std::vector<std::string>& row = out.emplace_back();
    for (const std::string_view column : columns) {
      row.push_back(top_field(column, process, clock));
    }
  }
  return out;
}

}  // namespace sbx::runtime
