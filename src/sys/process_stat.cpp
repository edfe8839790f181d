#include "sys/process_stat.hpp"

#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "sys/file.hpp"

namespace sbx::sys {
namespace {

constexpr std::size_t kMaxFile = std::size_t{64} << 10U;
constexpr std::size_t kMaxCommand = 4096;

Error corrupt(const char* what) {
  return Error::make(ErrorCode::kCorrupt, "read", what, "it is not as proc(5) says");
}

/// The next word of `text`, which it takes away; empty at the end.
std::string_view take_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
  const std::string_view out = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return out;
}

template <class T>
bool take_number(std::string_view& text, T& out) {
  const std::string_view word = take_word(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc() && end == word.data() + word.size();
}

template <class T>
std::vector<T> numbers(std::string_view text) {
  std::vector<T> out;
  for (T one{}; take_number(text, one);) {
    out.push_back(one);
  }
  return out;
}

/// What follows "KEY:" on its line.
std::string_view line_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':') {
      return line.substr(key.size() + 1);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<std::string> read_proc(pid_t pid, const char* name, std::size_t most = kMaxFile) {
  const std::string path = fmt::format("/proc/{}/{}", pid, name);
  const Fd file = SBX_TRY(open_at(AT_FDCWD, path, O_RDONLY));
  Result<std::string> text = read_fd(file.get(), most, path);
  if (!text && text.error().sys_errno == ESRCH) {  // it ended in between
    return fail(
        Error::make(ErrorCode::kNotFound, "find process", std::to_string(pid), "it has ended"));
  }
  return text;
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text, std::uint64_t page_size) {
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(") ");  // the name may hold anything
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return fail(corrupt("stat"));
  }
  ProcessStat out;
  std::string_view number = text.substr(0, open);
  out.name = text.substr(open + 2, close - open - 2);
  std::string_view rest = text.substr(close + 2);
  const std::string_view state = take_word(rest);
  std::uint64_t skipped = 0;
  int skipped_int = 0;
  std::uint64_t waited_user = 0;
  std::uint64_t waited_system = 0;
  std::uint64_t pages = 0;
  const bool good = take_number(number, out.pid) && state.size() == 1 &&
                    take_number(rest, out.parent) && take_number(rest, out.group) &&
                    take_number(rest, skipped_int) && take_number(rest, out.terminal) &&
                    take_number(rest, skipped_int) &&
                    // flags, minflt, cminflt, majflt, cmajflt
                    take_number(rest, skipped) && take_number(rest, skipped) &&
                    take_number(rest, skipped) && take_number(rest, skipped) &&
                    take_number(rest, skipped) && take_number(rest, out.user_time) &&
                    take_number(rest, out.system_time) && take_number(rest, waited_user) &&
                    take_number(rest, waited_system) && take_number(rest, skipped_int) &&
                    take_number(rest, out.nice) && take_number(rest, out.threads) &&
                    take_number(rest, skipped) && take_number(rest, out.start) &&
                    take_number(rest, out.virtual_bytes) && take_number(rest, pages);
  if (!good) {
    return fail(corrupt("stat"));
  }
  out.state = state.front();
  out.waited_time = waited_user + waited_system;
  out.resident_bytes = pages * page_size;
  return out;
}

Result<ProcessStatus> parse_process_status(std::string_view text) {
  const auto uids = numbers<uid_t>(line_of(text, "Uid"));
  const auto gids = numbers<gid_t>(line_of(text, "Gid"));
  ProcessStatus out;
  out.groups = numbers<gid_t>(line_of(text, "Groups"));
  out.pids = numbers<pid_t>(line_of(text, "NSpid"));
  const auto seccomp = numbers<int>(line_of(text, "Seccomp"));
  if (uids.size() != 4 || gids.size() != 4 || out.pids.empty()) {
    return fail(corrupt("status"));
  }
  out.real_uid = uids[0];
  out.uid = uids[1];
  out.real_gid = gids[0];
  out.gid = gids[1];
  out.seccomp = seccomp.empty() ? 0 : seccomp.front();
  return out;
}

Result<ProcessStat> read_process_stat(pid_t pid) {
  static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return parse_process_stat(SBX_TRY(read_proc(pid, "stat")), page_size);
}

Result<ProcessStatus> read_process_status(pid_t pid) {
  return parse_process_status(SBX_TRY(read_proc(pid, "status")));
}

std::string command_line_of(const ProcessStat& process) {
  std::string text;
  const std::string path = fmt::format("/proc/{}/cmdline", process.pid);
  if (const Result<Fd> file = open_at(AT_FDCWD, path, O_RDONLY)) {
    text.resize(kMaxCommand);
    text.resize(read_some(file->get(), std::as_writable_bytes(std::span(text)), path).value_or(0));
  }
  while (!text.empty() && text.back() == '\0') {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text.empty() ? "[" + process.name + "]" : text;
}

std::string terminal_name(int device) {
  constexpr unsigned kVirtual = 4;  // Documentation/admin-guide/devices.txt
  constexpr unsigned kFirstPseudo = 136;
  constexpr unsigned kLastPseudo = 143;
  constexpr unsigned kMinors = 256;
  const auto number = static_cast<dev_t>(static_cast<unsigned>(device));
  const unsigned major_number = major(number);
  const unsigned minor_number = minor(number);
  if (major_number >= kFirstPseudo && major_number <= kLastPseudo) {
    return fmt::format("pts/{}", (major_number - kFirstPseudo) * kMinors + minor_number);
  }
  return major_number == kVirtual && minor_number < 64 ? fmt::format("tty{}", minor_number) : "?";
}

Result<std::vector<ProcessStat>> all_processes() {
  std::vector<ProcessStat> out;
  for (const std::string& name : SBX_TRY(list_dir(AT_FDCWD, "/proc"))) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) {
      continue;
    }
    if (Result<ProcessStat> process = read_process_stat(pid)) {
      out.push_back(std::move(process).value());
    }
  }
  std::sort(out.begin(), out.end(),
            [](const ProcessStat& a, const ProcessStat& b) { return a.pid < b.pid; });
  return out;
}

std::string pid_namespace_of(pid_t pid) {
  return read_link_at(AT_FDCWD, fmt::format("/proc/{}/ns/pid", pid)).value_or("");
}

std::uint64_t ticks_per_second() { return static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)); }

double seconds_since_boot() {
  timespec now{};
  (void)::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace sbx::sys
