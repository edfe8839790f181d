#include "runtime/container_stats.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/container_processes.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxFile = std::size_t{256} << 10U;
constexpr std::uint64_t kNanoseconds = 1'000'000'000;
constexpr std::uint64_t kKibi = 1024;

/// Empty if it has ended, or may not be looked into.
std::string read_proc(pid_t pid, const char* name) {
  const std::string path = fmt::format("/proc/{}/{}", pid, name);
  const Result<sys::Fd> file = sys::open_at(AT_FDCWD, path, O_RDONLY);
  return file ? sys::read_fd(file->get(), kMaxFile, path).value_or("") : "";
}

std::uint64_t leading_number(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  std::uint64_t out = 0;
  (void)std::from_chars(text.data() + begin, text.data() + text.size(), out);  // none: 0
  return out;
}

/// The word at `index` of the line, as a number.
std::uint64_t word_at(std::string_view line, int index) {
  for (int i = 0; i < index; ++i) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    line.remove_prefix(std::min(line.find(' '), line.size()));
  }
  return leading_number(line);
}

void add_process(const sys::ProcessStat& process, ContainerUse& use) {
  static const std::uint64_t ticks = sys::ticks_per_second();
  use.cpu_ns += (process.cpu_time() + process.waited_time) * (kNanoseconds / ticks);
  use.threads += process.ended() ? 0 : process.threads;
  const std::uint64_t shared = number_of(read_proc(process.pid, "smaps_rollup"), "Pss") * kKibi;
  use.memory += shared != 0 ? shared : process.resident_bytes;
  const std::string io = read_proc(process.pid, "io");
  use.block_in += number_of(io, "read_bytes");
  use.block_out += number_of(io, "write_bytes");
}

}  // namespace

void add_network(std::string_view text, ContainerUse& use) {
  constexpr int kSent = 8;  // proc(5): eight numbers received, then eight sent
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      continue;  // a heading
    }
    const std::size_t begin = std::min(line.find_first_not_of(' '), colon);
    if (line.substr(begin, colon - begin) != "lo") {
      use.network_in += word_at(line.substr(colon + 1), 0);
      use.network_out += word_at(line.substr(colon + 1), kSent);
    }
  }
}

std::uint64_t number_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':') {
      return leading_number(line.substr(key.size() + 1));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

Result<ContainerUse> container_use(const std::string& data_root, const Container& container) {
  ContainerUse out;
  if (!container.running()) {
    return out;
  }
  const StoredRequest stored = SBX_TRY(read_container_config(data_root, container.state.id)).stored;
  const Result<std::vector<sys::ProcessStat>> processes =
      container_processes(container, stored.init);
  if (!processes) {
    return processes.error().code == ErrorCode::kNotFound ? Result<ContainerUse>(out)
                                                          : fail(processes.error());
  }
  for (const sys::ProcessStat& process : *processes) {
    add_process(process, out);
  }
  if (stored.request.network != NetworkMode::kHost) {  // the host's counters are not its own
    add_network(read_proc(container.state.init.pid, "net/dev"), out);
  }
  return out;
}

std::uint64_t machine_memory() {
  return number_of(sys::read_file_at(AT_FDCWD, "/proc/meminfo", kMaxFile).value_or(""),
                   "MemTotal") *
         kKibi;
}

}  // namespace sbx::runtime
