#include "sys/probe_run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/idmap.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"

namespace sbx::sys {
namespace {

constexpr std::size_t kReportMax = 4096;

/// What goes through the pipe: errno as text (0: passed), a newline, the words.
std::string to_report(const Result<std::string>& result) {
  return result
             ? "0\n" + *result
             : fmt::format("{}\n{}", result.error().sys_errno == 0 ? -1 : result.error().sys_errno,
                           result.error().message());
}

Trial from_report(std::string_view report) {
  const std::size_t end = report.find('\n');
  if (end == std::string_view::npos) {
    return {false, 0, "the probe ended early"};
  }
  const int number = std::atoi(std::string(report.substr(0, end)).c_str());
  return {number == 0, std::max(number, 0), std::string(report.substr(end + 1))};
}

[[noreturn]] void run_in_child(const std::function<Result<std::string>()>& action, int writer) {
  (void)::setpgid(0, 0);
  reset_signals_for_role();
  (void)raw::set_parent_death_signal(SIGKILL);
  const std::string report = to_report(action()).substr(0, kReportMax);
  (void)raw::write(writer, report.data(),
                   report.size());  // the reader sees a report that is missing
  raw::exit(0);
}

/// The report, or what is there of it when the time is up.
std::string read_report(int reader, int seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  std::string report;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{reader, POLLIN, 0};
    if (left <= 0 || (::poll(&wait, 1, static_cast<int>(left)) < 0 && errno != EINTR)) {
      return report.empty() ? fmt::format("{}\nno answer within {} s", ETIMEDOUT, seconds) : report;
    }
    std::array<char, kReportMax> buffer{};
    const long got = wait.revents != 0 ? raw::read(reader, buffer.data(), buffer.size()) : 0;
    if (wait.revents != 0 && got <= 0) {
      return report;
    }
    report.append(buffer.data(), static_cast<std::size_t>(std::max(got, 0L)));
  }
}

/// The value of KEY=value or KEY="value" in an os-release file.
std::string os_release_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.starts_with(key) && line.substr(key.size()).starts_with('=')) {
      line.remove_prefix(key.size() + 1);
      std::string value(line);
      std::erase(value, '"');
      return value;
    }
  }
  return {};
}

bool has_word(std::string_view words, std::string_view wanted) {
  const std::string padded = fmt::format(" {} ", words);
  return padded.find(fmt::format(" {} ", wanted)) != std::string::npos;
}

}  // namespace

Trial try_out(const std::function<Result<std::string>()>& action, int seconds) {
  Result<Pipe> pipe = make_pipe();
  Result<Cloned> cloned = pipe ? fork_role() : fail(pipe.error());
  if (!cloned) {
    return {false, cloned.error().sys_errno, cloned.error().message()};
  }
  if (cloned->pid == 0) {
    run_in_child(action, pipe->writer.get());
  }
  (void)::setpgid(cloned->pid, cloned->pid);  // both sides, so that it holds whoever comes first
  pipe->writer.reset();
  const pid_t group = cloned->pid;
  Child child(cloned->pid, std::move(cloned->pidfd));
  const Trial trial = from_report(read_report(pipe->reader.get(), seconds));
  (void)raw::kill(-group, SIGKILL);
  (void)child.wait();
  return trial;
}

Result<void> enter_trial_namespaces(bool mount, bool net) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWUSER) != 0) {
    return fail(Error::system("make a user namespace", ""));
  }
  IdMaps maps;
  maps.uids = {{0, uid, 1}};
  maps.gids = {{0, gid, 1}};
  MapWriting writing = SBX_TRY(MapWriting::start(::getpid(), maps, MapWriter::kOurselves, true));
  SBX_TRY(writing.finish());
  if (mount && ::unshare(CLONE_NEWNS) != 0) {
    return fail(Error::system("make a mount namespace", ""));
  }
  if (net && ::unshare(CLONE_NEWNET) != 0) {
    return fail(Error::system("make a network namespace", ""));
  }
  return {};
}

std::string as_root(const std::string& command) {
  return ::geteuid() == 0 ? command : "sudo " + command;
}

std::string install_command(const std::string& os_release, const PackageNames& names) {
  const std::string family =
      os_release_value(os_release, "ID") + " " + os_release_value(os_release, "ID_LIKE");
  const auto is_one_of = [&](std::initializer_list<std::string_view> ids) {
    return std::any_of(ids.begin(), ids.end(),
                       [&](std::string_view id) { return has_word(family, id); });
  };
  if (is_one_of({"debian", "ubuntu"})) {
    return "apt-get install " + names.apt;
  }
  if (is_one_of({"fedora", "rhel", "centos"})) {
    return "dnf install " + names.dnf;
  }
  if (is_one_of({"suse", "opensuse", "sles"})) {
    return "zypper install " + names.zypper;
  }
  if (is_one_of({"arch"})) {
    return "pacman -S " + names.pacman;
  }
  if (is_one_of({"alpine"})) {
    return "apk add " + names.apk;
  }
  return {};
}

std::string install_command(const PackageNames& names) {
  const std::string text = read_file_at(AT_FDCWD, "/etc/os-release", 65536).value_or("");
  const std::string command = install_command(text, names);
  return command.empty() ? "install the package " + names.apt + " (as Debian calls it)"
                         : as_root(command);
}

std::string nearest_existing(std::string path) {
  while (path.size() > 1 && !exists_at(AT_FDCWD, path)) {
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
  }
  return path;
}

std::string sysctl(const std::string& name) {
  std::string path = "/proc/sys/" + name;
  std::replace(path.begin() + 10, path.end(), '.', '/');
  const Result<Fd> file = open_at(AT_FDCWD, path, O_RDONLY);
  std::string text = file ? read_fd(file->get(), 4096, path).value_or("") : "";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

}  // namespace sbx::sys
