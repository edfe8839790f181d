#include "runtime/environment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sys/file.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

// Docker's default, moby daemon/pkg/oci.
constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kEnvironmentFileMax = std::size_t{1} << 20U;

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

/// Variables in the order they were first set.
class Environment {
 public:
  void set(std::string entry) {
    const auto same = find(name_of(entry));
    if (same == entries_.end()) {
      entries_.push_back(std::move(entry));
    } else {
      *same = std::move(entry);
    }
  }
  void set_default(std::string entry) {
    if (find(name_of(entry)) == entries_.end()) {
      entries_.push_back(std::move(entry));
    }
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(entries_); }

 private:
  std::vector<std::string>::iterator find(std::string_view name) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const std::string& entry) { return name_of(entry) == name; });
  }
  std::vector<std::string> entries_;
};

Result<void> add(Environment& environment, const std::string& entry,
                 const std::vector<std::string>& ours) {
  if (name_of(entry).empty()) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "set environment variable", entry,
                            "it has no name"));
  }
  if (entry.find('=') != std::string::npos) {
    environment.set(entry);
    return {};
  }
  const auto own = std::find_if(ours.begin(), ours.end(), [&](const std::string& candidate) {
    return name_of(candidate) == entry;
  });
  if (own != ours.end()) {
    environment.set(*own);
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> parse_environment_file(std::string_view text,
                                                        std::string_view name) {
  std::vector<std::string> entries;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++number;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string_view key = name_of(line);
    if (key.empty() || key.find_first_of(" \t") != std::string_view::npos ||
        line.find('\0') != std::string_view::npos) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "read", name,
                              fmt::format("line {} is not NAME=VALUE or NAME", number)));
    }
    entries.emplace_back(line);
  }
  return entries;
}

Result<std::vector<std::string>> build_environment(const EnvironmentInput& input) {
  const std::vector<std::string> ours = sys::environment();
  Environment environment;
  environment.set(kDefaultPath);
  if (!input.hostname.empty()) {
    environment.set("HOSTNAME=" + input.hostname);
  }
  if (input.terminal) {
    environment.set("TERM=xterm");
  }
  environment.set(
      "container=sbx");  // what detection scripts look at (systemd.io/CONTAINER_INTERFACE)
  for (const std::string& entry : input.image) {
    environment.set(entry);
  }
  for (const std::string& file : input.request.environment_files) {
    const std::string text = SBX_TRY(sys::read_file_at(AT_FDCWD, file, kEnvironmentFileMax));
    for (const std::string& entry : SBX_TRY(parse_environment_file(text, file))) {
      SBX_TRY(add(environment, entry, ours));
    }
  }
  for (const std::string& entry : input.request.environment) {
    SBX_TRY(add(environment, entry, ours));
  }
  environment.set_default("HOME=" + input.home);
  return environment.take();
}

}  // namespace sbx::runtime
