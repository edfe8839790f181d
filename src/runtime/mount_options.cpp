#include "runtime/mount_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sys/file.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

Error bad(std::string_view flag, const std::string& text, std::string reason) {
  return Error::make(ErrorCode::kInvalidArgument, fmt::format("use {}", flag), text,
                     std::move(reason));
}

constexpr std::array<std::string_view, 8> kSwitches{"ro",    "rw",  "nosuid", "suid",
                                                    "nodev", "dev", "noexec", "exec"};

bool is_switch(std::string_view option) {
  return std::find(kSwitches.begin(), kSwitches.end(), option) != kSwitches.end();
}

/// A later option takes back an earlier opposite one: "noexec,exec" is exec.
void add_switch(std::vector<std::string>& options, const std::string& option) {
  const std::string opposite = option == "ro"             ? "rw"
                               : option == "rw"           ? "ro"
                               : option.starts_with("no") ? option.substr(2)
                                                          : "no" + option;
  std::erase(options, opposite);
  std::erase(options, option);
  options.push_back(option);
}

Result<void> check_destination(std::string_view flag, const std::string& text,
                               const std::string& destination) {
  if (!destination.starts_with('/')) {
    return fail(bad(flag, text, "the destination must be an absolute path inside the sandbox"));
  }
  if (destination.find_first_not_of('/') == std::string::npos) {
    return fail(bad(flag, text, "the destination must not be '/'"));
  }
  return {};
}

Result<std::string> host_path(const std::string& text, const std::string& source) {
  if (source.starts_with('/') || source == "." || source == ".." || source.starts_with("./") ||
      source.starts_with("../")) {
    return sys::absolute_path(source);
  }
  if (source == "~" || source.starts_with("~/")) {
    return fail(
        bad("--volume", text, "'~' is the shell's to expand: leave it unquoted, or write $HOME"));
  }
  return fail(
      Error::make(ErrorCode::kUnsupported, "use --volume", text, "named volumes are not supported")
          .with_hint("give a path of the host, as in ./DIR:/DIR"));
}

}  // namespace

Result<oci::SpecMount> parse_volume(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty()) {
    return fail(bad("--volume", text, "it must be SOURCE:DESTINATION[:OPTIONS]"));
  }
  SBX_TRY(check_destination("--volume", text, parts[1]));
  oci::SpecMount mount{parts[1], "bind", SBX_TRY(host_path(text, parts[0])), {"rbind"}};
  for (const std::string& option :
       parts.size() == 3 ? split(parts[2], ',') : std::vector<std::string>{}) {
    if (is_switch(option)) {
      add_switch(mount.options, option);
    } else if (option == "bind" || option == "rbind") {
      std::erase(mount.options, option == "bind" ? "rbind" : "bind");
      add_switch(mount.options, option);
    } else {
      return fail(
          bad("--volume", text, fmt::format("option '{}' is not supported", printable(option)))
              .with_hint("options are ro, rw, bind, rbind, nosuid, nodev, noexec"));
    }
  }
  return mount;
}

Result<oci::SpecMount> parse_tmpfs(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string destination = text.substr(0, colon);
  SBX_TRY(check_destination("--tmpfs", text, destination));
  oci::SpecMount mount{destination, "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec"}};
  for (const std::string& option : colon == std::string::npos
                                       ? std::vector<std::string>{}
                                       : split(text.substr(colon + 1), ',')) {
    if (is_switch(option)) {
      add_switch(mount.options, option);
    } else if (option.starts_with("size=") || option.starts_with("mode=")) {
      mount.options.push_back(option);
    } else {
      return fail(
          bad("--tmpfs", text, fmt::format("option '{}' is not supported", printable(option)))
              .with_hint("options are size=, mode=, ro, rw, nosuid, nodev, noexec, exec"));
    }
  }
  return mount;
}

}  // namespace sbx::runtime
