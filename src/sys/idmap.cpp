#include "sys/idmap.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"

namespace sbx::sys {
namespace {

constexpr std::size_t kSubIdFileMax = std::size_t{16} << 20U;  // sites with 100,000 accounts: 3 MiB

std::string_view next_field(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view field = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return field;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::vector<IdRange> read_subids(const char* path, std::string_view user, uid_t uid) {
  const Result<std::string> text = read_file_at(AT_FDCWD, path, kSubIdFileMax);
  return text ? parse_subids(*text, user, uid) : std::vector<IdRange>{};
}

std::string find_tool(std::string_view name) {
  // Fixed places: PATH belongs to the user, and a wrong newuidmap is a confusing failure.
  for (const std::string_view dir :
       {"/usr/bin/", "/bin/", "/usr/local/bin/", "/run/wrappers/bin/"}) {
    std::string path = fmt::format("{}{}", dir, name);
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return {};
}

Result<void> write_proc(pid_t pid, const char* file, std::string_view text) {
  const std::string path = fmt::format("/proc/{}/{}", pid, file);
  const Fd fd = SBX_TRY(open_at(AT_FDCWD, path, O_WRONLY));
  return write_full(fd.get(), text, path);
}

std::string map_text(const std::vector<IdExtent>& extents) {
  std::string text;
  for (const IdExtent& extent : extents) {
    text += fmt::format("{} {} {}\n", extent.inside, extent.outside, extent.count);
  }
  return text;
}

std::vector<std::string> tool_words(const std::string& tool, pid_t pid,
                                    const std::vector<IdExtent>& extents) {
  std::vector<std::string> words{tool, std::to_string(pid)};
  for (const IdExtent& extent : extents) {
    words.push_back(std::to_string(extent.inside));
    words.push_back(std::to_string(extent.outside));
    words.push_back(std::to_string(extent.count));
  }
  return words;
}

}  // namespace

struct MapWriting::Tool {
  std::string name;
  Child child;
  Fd errors;
};

MapWriting::MapWriting() = default;
MapWriting::~MapWriting() = default;
MapWriting::MapWriting(MapWriting&&) noexcept = default;
MapWriting& MapWriting::operator=(MapWriting&&) noexcept = default;

std::vector<IdRange> parse_subids(std::string_view text, std::string_view user, uid_t uid) {
  std::vector<IdRange> ranges;
  const std::string number = std::to_string(uid);
  while (!text.empty()) {
    std::string_view line = next_field(text, '\n');
    const std::string_view owner = next_field(line, ':');
    const auto first = parse_number(next_field(line, ':'));
    const auto count = parse_number(next_field(line, ':'));
    const bool ours = !owner.empty() && (owner == user || owner == number);
    if (ours && first && count && *count > 0 && *count <= UINT32_MAX - *first) {
      ranges.push_back({*first, *count});
    }
  }
  return ranges;
}

SubIds find_subids(std::string_view user, uid_t uid) {
  return {read_subids("/etc/subuid", user, uid), read_subids("/etc/subgid", user, uid)};
}

std::optional<IdMapTools> find_idmap_tools() {
  IdMapTools tools{find_tool("newuidmap"), find_tool("newgidmap")};
  if (tools.newuidmap.empty() || tools.newgidmap.empty()) {
    return std::nullopt;
  }
  return tools;
}

Result<MapWriting> MapWriting::start(pid_t pid, const IdMaps& maps, MapWriter writer,
                                     bool deny_setgroups) {
  MapWriting writing;
  if (writer == MapWriter::kOurselves) {
    if (deny_setgroups) {
      SBX_TRY(write_proc(pid, "setgroups", "deny"));
    }
    SBX_TRY(write_proc(pid, "uid_map", map_text(maps.uids)));
    SBX_TRY(write_proc(pid, "gid_map", map_text(maps.gids)));
    return writing;
  }
  const std::optional<IdMapTools> tools = find_idmap_tools();
  if (!tools) {
    return fail(Error::make(ErrorCode::kUnsupported, "map subordinate ids", "",
                            "newuidmap is not installed")
                    .with_hint("apt-get install uidmap; or run with --userns=single"));
  }
  for (const auto& [tool, extents] :
       {std::pair(&tools->newuidmap, &maps.uids), std::pair(&tools->newgidmap, &maps.gids)}) {
    Pipe errors = SBX_TRY(make_pipe());
    Child child = SBX_TRY(Child::spawn(tool_words(*tool, pid, *extents), -1, errors.writer.get()));
    writing.tools_.push_back({*tool, std::move(child), std::move(errors.reader)});
  }
  return writing;
}

Result<void> MapWriting::finish() {
  for (Tool& tool : tools_) {
    const ExitStatus status = SBX_TRY(tool.child.wait());
    if (status.shell_code() != 0) {
      const std::string said = read_fd(tool.errors.get(), 4096, tool.name).value_or("");
      return fail(
          Error::make(ErrorCode::kDenied, "map subordinate ids with", tool.name,
                      said.empty()
                          ? fmt::format("exit code {}", status.shell_code())
                          : printable(std::string_view(said).substr(0, said.find('\n')), 400))
              .with_hint("'sbx doctor' tells what is wrong; --userns=single does without "
                         "subordinate ids"));
    }
  }
  tools_.clear();
  return {};
}

Result<std::vector<IdRange>> own_ids(const char* proc_file) {
  const std::string text = SBX_TRY(read_file_at(AT_FDCWD, proc_file, std::size_t{64} << 10U));
  std::vector<IdRange> ranges;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = next_field(rest, '\n');
    std::array<std::uint32_t, 3> numbers{};
    for (std::uint32_t& number : numbers) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      number = parse_number(next_field(line, ' ')).value_or(0);
    }
    if (numbers[2] != 0) {
      ranges.push_back({numbers[0], numbers[2]});
    }
  }
  return ranges;
}

}  // namespace sbx::sys
