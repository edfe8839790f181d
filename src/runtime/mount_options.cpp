#include "runtime/mount_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/mount_words.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kVolumeNameMax = 255;  // NAME_MAX

constexpr std::string_view kVolumeHint =
    "options are ro, rw, nocopy, U, z, Z, bind, rbind, [r]private, [r]slave, nosuid, nodev, noexec "
    "and their opposites";
constexpr std::string_view kTmpfsHint =
    "options are size=, mode=, uid=, gid=, nr_inodes=, nr_blocks=, ro, rw, nosuid, nodev, noexec "
    "and their opposites";

Result<std::string> host_path(const std::string& text, const std::string& source) {
  if (source == "~" || source.starts_with("~/")) {
    return fail(bad_mount("--volume", text,
                          "'~' is the shell's to expand: leave it unquoted, or write $HOME"));
  }
  return sys::absolute_path(source);
}

bool is_path(const std::string& source) {
  return source.starts_with('/') || source == "." || source == ".." || source.starts_with("./") ||
         source.starts_with("../") || source == "~" || source.starts_with("~/");
}

/// One option of --volume. False if there is none of that name.
Result<bool> add_volume_option(const std::string& text, const std::string& option,
                               oci::SpecMount& mount) {
  const bool bind = mount.type == "bind";
  if (is_switch(option)) {
    add_switch(mount, option);
    return true;
  }
  if (option == "z" || option == "Z") {
    return true;  // a sandbox runs in the SELinux domain of who starts it: there is no label to set
  }
  if (option == "U") {
    mount.options.emplace_back(mount_word::kChown);
    return true;
  }
  if (option == "nocopy" && !bind) {
    mount.options.emplace_back(mount_word::kNoCopy);
    return true;
  }
  if ((option == "bind" || option == "rbind") && bind) {
    std::erase(mount.options, "rbind");
    std::erase(mount.options, "bind");
    mount.options.push_back(option);
    return true;
  }
  return add_propagation("--volume", text, option, mount);
}

/// Digits, and what a size may end in.
bool is_number(std::string_view value, std::string_view units) {
  const std::size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  return digits > 0 && digits <= 18 &&
         (digits == value.size() ||
          (value.size() == digits + 1 && units.find(value[digits]) != std::string_view::npos));
}

bool is_octal(std::string_view value) {
  return !value.empty() && value.size() <= 5 &&
         value.find_first_not_of("01234567") == std::string_view::npos;
}

/// A value that the kernel's tmpfs takes; tmpfs(5).
bool is_tmpfs_value(std::string_view key, std::string_view value) {
  return key == "size"                              ? is_number(value, "kKmMgG%")
         : key == "nr_inodes" || key == "nr_blocks" ? is_number(value, "kKmMgG")
         : key == "mode"                            ? is_octal(value)
         : key == "uid" || key == "gid"             ? is_number(value, "")
                                                    : false;
}

}  // namespace

Error bad_mount(std::string_view flag, const std::string& text, std::string reason) {
  return Error::make(ErrorCode::kInvalidArgument, fmt::format("use {}", flag), text,
                     std::move(reason));
}

std::vector<std::string> split_text(std::string_view text, char separator) {
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

bool is_switch(std::string_view option) {
  constexpr std::array<std::string_view, 8> kSwitches{"ro",    "rw",  "nosuid", "suid",
                                                      "nodev", "dev", "noexec", "exec"};
  return std::find(kSwitches.begin(), kSwitches.end(), option) != kSwitches.end();
}

bool has_word(const oci::SpecMount& mount, std::string_view word) {
  return std::find(mount.options.begin(), mount.options.end(), word) != mount.options.end();
}

std::string word_value(const oci::SpecMount& mount, std::string_view word) {
  for (const std::string& option : mount.options) {
    if (option.starts_with(word)) {
      return option.substr(word.size());
    }
  }
  return {};
}

void add_switch(oci::SpecMount& mount, const std::string& option) {
  const std::string opposite = option == "ro"             ? "rw"
                               : option == "rw"           ? "ro"
                               : option.starts_with("no") ? option.substr(2)
                                                          : "no" + option;
  std::erase(mount.options, opposite);
  std::erase(mount.options, option);
  mount.options.push_back(option);
}

Result<bool> add_propagation(std::string_view flag, const std::string& text,
                             const std::string& option, oci::SpecMount& mount) {
  if (option == "shared" || option == "rshared") {
    return fail(Error::make(ErrorCode::kUnsupported, fmt::format("use {}", flag), text,
                            "what a sandbox mounts cannot appear on the host, as it is not root's")
                    .with_hint("rslave shows inside what the host mounts there later"));
  }
  if (option == "slave" || option == "rslave") {
    std::erase(mount.options, "rslave");
    mount.options.emplace_back("rslave");
    return true;
  }
  if (option == "private" || option == "rprivate") {
    std::erase(mount.options, "rslave");
    return true;  // what they all are
  }
  return false;
}

Result<bool> add_tmpfs_option(std::string_view flag, const std::string& text,
                              const std::string& option, oci::SpecMount& mount) {
  if (is_switch(option)) {
    add_switch(mount, option);
    return true;
  }
  if (option == "notmpcopyup" || option == "private" || option == "rprivate" ||
      option == "defaults") {
    return true;  // so it is
  }
  const std::size_t equals = option.find('=');
  if (equals == std::string::npos) {
    return false;
  }
  const std::string key = option.substr(0, equals);
  const std::string value = option.substr(equals + 1);
  constexpr std::array<std::string_view, 6> kKeys{"size", "mode",      "uid",
                                                  "gid",  "nr_inodes", "nr_blocks"};
  if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
    return false;
  }
  if (!is_tmpfs_value(key, value)) {
    return fail(
        bad_mount(flag, text, fmt::format("{}={} is not understood", key, printable(value)))
            .with_hint("sizes are bytes, with k, m or g behind, or a percentage of memory; modes "
                       "are octal"));
  }
  std::erase_if(mount.options, [&](const std::string& one) { return one.starts_with(key + "="); });
  mount.options.push_back(option);
  return true;
}

std::string clean_path(std::string_view path) {
  std::string out;
  for (const std::string& part : split_text(path, '/')) {
    if (part == "..") {
      out.resize(std::min(out.find_last_of('/'), out.size()));
    } else if (!part.empty() && part != ".") {
      out += "/" + part;
    }
  }
  return out.empty() ? "/" : out;
}

Result<std::string> read_destination(std::string_view flag, const std::string& text,
                                     const std::string& destination) {
  if (!destination.starts_with('/')) {
    return fail(
        bad_mount(flag, text, "the destination must be an absolute path inside the sandbox"));
  }
  std::string clean = clean_path(destination);
  if (clean == "/") {
    return fail(bad_mount(flag, text, "the destination must not be '/'"));
  }
  return clean;
}

Result<void> check_volume_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const bool first_good =
      !name.empty() && name.front() != '_' && name.front() != '.' && name.front() != '-';
  if (!first_good || name.size() > kVolumeNameMax || !std::all_of(name.begin(), name.end(), good)) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "use as the name of a volume", name,
                    fmt::format("names are [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most {} characters",
                                kVolumeNameMax))
            .with_hint(
                "a directory of the host is given as an absolute path, or with ./ in front"));
  }
  return {};
}

Result<oci::SpecMount> parse_volume(const std::string& text) {
  std::vector<std::string> parts = split_text(text, ':');
  if (parts.size() == 1) {
    parts.insert(parts.begin(), "");
  } else if (parts.front().empty()) {
    return fail(bad_mount("--volume", text, "the source is empty"));
  }
  if (parts.size() > 3) {
    return fail(bad_mount("--volume", text, "it must be [SOURCE:]DESTINATION[:OPTIONS]")
                    .with_hint("paths with a colon in them go with --mount"));
  }
  oci::SpecMount mount;
  mount.destination = SBX_TRY(read_destination("--volume", text, parts[1]));
  mount.options.emplace_back("rbind");
  if (is_path(parts[0])) {
    mount.type = "bind";
    mount.source = SBX_TRY(host_path(text, parts[0]));
    mount.options.emplace_back(mount_word::kCreate);
  } else {
    mount.type = kVolumeType;
    mount.source = parts[0];
    if (!mount.source.empty()) {
      SBX_TRY(check_volume_name(mount.source));
    }
  }
  for (const std::string& option :
       parts.size() == 3 ? split_text(parts[2], ',') : std::vector<std::string>{}) {
    if (!SBX_TRY(add_volume_option(text, option, mount))) {
      return fail(bad_mount("--volume", text,
                            fmt::format("option '{}' is not supported", printable(option)))
                      .with_hint(std::string(kVolumeHint)));
    }
  }
  return mount;
}

oci::SpecMount new_tmpfs(std::string destination) {
  return {std::move(destination), "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec"}};
}

Result<oci::SpecMount> parse_tmpfs(const std::string& text) {
  const std::size_t colon = text.find(':');
  oci::SpecMount mount =
      new_tmpfs(SBX_TRY(read_destination("--tmpfs", text, text.substr(0, colon))));
  for (const std::string& option : colon == std::string::npos
                                       ? std::vector<std::string>{}
                                       : split_text(text.substr(colon + 1), ',')) {
    if (!SBX_TRY(add_tmpfs_option("--tmpfs", text, option, mount))) {
      return fail(
          bad_mount("--tmpfs", text, fmt::format("option '{}' is not supported", printable(option)))
              .with_hint(std::string(kTmpfsHint)));
    }
  }
  return mount;
}

Result<VolumesFrom> parse_volumes_from(const std::string& text) {
  const std::size_t colon = text.find(':');
  VolumesFrom out{text.substr(0, colon), std::nullopt};
  if (out.container.empty()) {
    return fail(bad_mount("--volumes-from", text, "it must be CONTAINER[:ro|rw]"));
  }
  for (const std::string& option : colon == std::string::npos
                                       ? std::vector<std::string>{}
                                       : split_text(text.substr(colon + 1), ',')) {
    if (option == "ro" || option == "rw") {
      out.read_only = option == "ro";
    } else if (option != "z" && option != "Z") {
      return fail(bad_mount("--volumes-from", text,
                            fmt::format("option '{}' is not supported", printable(option)))
                      .with_hint("options are ro, rw, z and Z"));
    }
  }
  return out;
}

}  // namespace sbx::runtime
