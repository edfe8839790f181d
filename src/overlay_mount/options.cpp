#include "overlay_mount/options.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace sbx::overlay_mount {

namespace {

Unexpected<Error> wrong(std::string_view subject, std::string reason) {
  return fail(Error::make(ErrorCode::kInvalidArgument, "use option", subject, std::move(reason)));
}

/// At each `separator` that no backslash stands before and no quotes stand around; backslashes stay.
std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      parts.back().append(text.substr(i++, 2));
    } else if (text[i] == separator && !quoted) {
      parts.emplace_back();
    } else {
      quoted = quoted != (text[i] == '"');
      parts.back().push_back(text[i]);
    }
  }
  return parts;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    i += text[i] == '\\' && i + 1 < text.size() ? 1U : 0U;
    plain.push_back(text[i]);
  }
  return plain;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good ? std::optional(value) : std::nullopt;
}

Result<std::uint32_t> id(std::string_view name, std::string_view value) {
  const auto parsed = number(value);
  if (!parsed || *parsed == std::numeric_limits<std::uint32_t>::max()) {
    return wrong(name, "not an id");
  }
  return *parsed;
}

Result<bool> zero_or_one(std::string_view name, std::string_view value) {
  if (value != "0" && value != "1") {
    return wrong(name, "takes 0 or 1");
  }
  return value == "1";
}

/// "0:1000:1:1:100000:65536": triples of the id on disk, the id it is served as, and how many.
Result<std::vector<overlay::IdView::Map>> maps(std::string_view name, std::string_view value) {
  const std::vector<std::string> words = split(value, ':');
  if (words.size() % 3 != 0) {
    return wrong(name, "not triples of ID:MAPPED-ID:LENGTH");
  }
  std::vector<overlay::IdView::Map> found;
  for (std::size_t i = 0; i < words.size(); i += 3) {
    const auto disk = number(words[i]);
    const auto served = number(words[i + 1]);
    const auto count = number(words[i + 2]);
    constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (!disk || !served || !count || *count > kMost - *disk || *count > kMost - *served) {
      return wrong(name, "not triples of ID:MAPPED-ID:LENGTH");
    }
    found.push_back({*disk, *served, *count});
  }
  return found;
}

struct Flag {
  std::string_view name;
  unsigned long flag;
  bool set;
};
constexpr Flag kFlags[] = {{"ro", MS_RDONLY, true},           {"rw", MS_RDONLY, false},
                           {"nosuid", MS_NOSUID, true},       {"suid", MS_NOSUID, false},
                           {"nodev", MS_NODEV, true},         {"dev", MS_NODEV, false},
                           {"noexec", MS_NOEXEC, true},       {"exec", MS_NOEXEC, false},
                           {"noatime", MS_NOATIME, true},     {"atime", MS_NOATIME, false},
                           {"relatime", MS_NOATIME, false},   {"nodiratime", MS_NODIRATIME, true},
                           {"diratime", MS_NODIRATIME, false}};

/// Change nothing of what anybody sees: how libfuse, fuse-overlayfs or the kernel's overlay do their work. By name, or
/// name and value.
constexpr std::string_view kHarmless[] = {"defaults",
                                          "debug",
                                          "nonempty",
                                          "lazytime",
                                          "userxattr",
                                          "splice_read",
                                          "splice_write",
                                          "splice_move",
                                          "no_splice_read",
                                          "no_splice_write",
                                          "no_splice_move",
                                          "kernel_cache",
                                          "auto_cache",
                                          "big_writes",
                                          "async_read",
                                          "sync_read",
                                          "atomic_o_trunc",
                                          "async_dio",
                                          "clone_fd",
                                          "max_idle_threads",
                                          "max_threads",
                                          "max_read",
                                          "max_write",
                                          "max_readahead",
                                          "max_background",
                                          "congestion_threshold",
                                          "subtype",
                                          "fast_ino",
                                          "fast_ino_check",
                                          "_netdev",
                                          "nofail",
                                          "redirect_dir=off",
                                          "redirect_dir=nofollow",
                                          "index=off",
                                          "index=on",
                                          "metacopy=off",
                                          "metacopy=on",
                                          "nfs_export=off",
                                          "xino=off",
                                          "xino=auto",
                                          "xino=on",
                                          "xattr_permissions=0"};

/// Known elsewhere, and would promise what is not done here.
struct Refused {
  std::string_view name;
  std::string_view why;
};
constexpr Refused kRefused[] = {
    {"plugins", "there are no plugins"},
    {"redirect_dir", "only redirect_dir=off: no other overlay would find the directories again"},
    {"nfs_export", "file handles cannot be decoded"},
    {"ino32_t", "inode numbers have 64 bits"},
    {"allow_root", "use allow_other"},
    {"auto_unmount", "the mount ends with its server; SIGTERM unmounts"},
    {"xattr_permissions",
     "takes 0 or 2; security.* attributes (1) are for the machine's root alone"}};

bool harmless(std::string_view name, std::string_view option) {
  return std::ranges::any_of(kHarmless,
                             [&](std::string_view known) {
                               return known.find('=') == std::string_view::npos ? known == name
                                                                                : known == option;
                             }) ||
         name.starts_with("x-");
}

Result<void> read_lower(Options& options, std::string_view value) {
  options.lower.clear();
  for (const std::string& part : split(value, ':')) {
    if (part.starts_with("//")) {
      return wrong("lowerdir", "there are no plugins (a path with two slashes in front)");
    }
    if (!part.empty()) {
      options.lower.push_back(unescaped(part));
    }
  }
  return {};
}

/// True if the option is one of those that have a value.
Result<bool> read_valued(Options& options, std::string_view name, std::string_view value) {
  if (name == "lowerdir") {
    SBX_TRY(read_lower(options, value));
  } else if (name == "upperdir") {
    options.upper = unescaped(value);
  } else if (name == "workdir") {
    options.work = unescaped(value);
  } else if (name == "uidmapping") {
    options.ids.uids = SBX_TRY(maps(name, value));
  } else if (name == "gidmapping") {
    options.ids.gids = SBX_TRY(maps(name, value));
  } else if (name == "squash_to_uid") {
    options.ids.all_uid = SBX_TRY(id(name, value));
  } else if (name == "squash_to_gid") {
    options.ids.all_gid = SBX_TRY(id(name, value));
  } else if (name == "fsync") {
    options.durable = SBX_TRY(zero_or_one(name, value));
  } else if (name == "writeback") {
    options.write_back = SBX_TRY(zero_or_one(name, value));
  } else if (name == "noxattrs") {
    options.xattrs = !SBX_TRY(zero_or_one(name, value));
  } else if (name == "threaded") {
    options.one_thread = !SBX_TRY(zero_or_one(name, value));
  } else if (name == "timeout") {
    constexpr std::uint32_t kForEver = 1000000000;  // fuse-overlayfs's default, in seconds
    const std::string whole(value.substr(0, value.find('.')));
    const auto seconds = number(whole);
    if (!seconds) {
      return wrong(name, "not a number of seconds");
    }
    options.live = *seconds < kForEver;
  } else if (name == "xattr_permissions" && value == "2") {
    options.form = overlay::UpperForm::kOverride;
  } else if (name == "context") {
    options.context = value;
  } else if (name == "fsname") {
    options.source = unescaped(value);
  } else {
    return false;
  }
  return true;
}

/// True if the option is one of those that are a word alone.
bool read_word(Options& options, std::string_view name) {
  if (name == "volatile") {
    options.durable = false;
  } else if (name == "static_nlink") {
    options.static_nlink = true;
  } else if (name == "acl" || name == "noacl") {
    options.acls = name == "acl";
  } else if (name == "squash_to_root") {
    // The more special options have the last word, in whatever order.
    options.ids.all_uid = options.ids.all_uid.value_or(0);
    options.ids.all_gid = options.ids.all_gid.value_or(0);
  } else if (name == "allow_other") {
    options.allow_other = true;
  } else if (name == "default_permissions") {
    options.default_permissions = true;
  } else {
    for (const Flag& flag : kFlags) {
      if (flag.name == name) {
        (flag.set ? options.set_flags : options.clear_flags) |= flag.flag;
        (flag.set ? options.clear_flags : options.set_flags) &= ~flag.flag;
        return true;
      }
    }
    return false;
  }
  return true;
}

Result<void> read_option(Options& options, const std::string& option) {
  const std::size_t equals = option.find('=');
  const std::string_view name = std::string_view(option).substr(0, equals);
  if (equals != std::string::npos) {
    if (SBX_TRY(read_valued(options, name, std::string_view(option).substr(equals + 1)))) {
      return {};
    }
  } else if (read_word(options, name)) {
    return {};
  }
  if (harmless(name, option)) {
    return {};
  }
  for (const Refused& refused : kRefused) {
    if (refused.name == name) {
      return wrong(option, std::string(refused.why));
    }
  }
  return wrong(option, "not known");
}

Result<void> read_options(Options& options, std::string_view text) {
  for (const std::string& option : split(text, ',')) {
    if (!option.empty()) {
      SBX_TRY(read_option(options, option));
    }
  }
  return {};
}

Result<void> check(const Options& options) {
  if (options.action != Options::Action::kMount) {
    return {};
  }
  if (options.mountpoint.empty()) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "mount", "", "no mount point is given")
                    .with_hint("sbx-overlay --help"));
  }
  if (options.lower.empty()) {
    return wrong("lowerdir", "missing");
  }
  if (options.upper.empty() != options.work.empty()) {
    return wrong(options.upper.empty() ? "upperdir" : "workdir", "missing, the other one is given");
  }
  return {};
}

constexpr MountOption kMountOptions[] = {
    {"lowerdir=", "DIR[:DIR]...", "Lower directories, the uppermost first"},
    {"upperdir=", "DIR", "Takes all changes; without it the mount is read-only"},
    {"workdir=", "DIR", "On the file system of upperdir"},
    {"volatile", "", "Do not wait for the disk"},
    {"fsync=", "0|1", "Whether to wait for the disk"},
    {"uidmapping=", "UID:MAPPED-UID:LENGTH[:...]", "Users on disk, as whom to show them"},
    {"gidmapping=", "GID:MAPPED-GID:LENGTH[:...]", "The same of groups"},
    {"squash_to_root", "", "Show everything as owned by root"},
    {"squash_to_uid=", "UID", "Show everything as owned by this user"},
    {"squash_to_gid=", "GID", "Show everything as owned by this group"},
    {"xattr_permissions=", "0|2", "2: keep owners, modes and types in attributes"},
    {"acl", "", "Keep POSIX ACLs"},
    {"noacl", "", "Refuse POSIX ACLs"},
    {"noxattrs=", "0|1", "1: no extended attributes"},
    {"static_nlink", "", "Directories have link count 1"},
    {"timeout=", "SECONDS", "Below 1000000000: somebody else changes the lower directories"},
    {"writeback=", "0|1", "Whether the kernel gathers writes"},
    {"threaded=", "0|1", "Whether to answer by several threads"},
    {"allow_other", "", "Users other than the one who mounts may look"},
    {"default_permissions", "", "Accepted: permissions are always checked"},
    {"context=", "LABEL", "SELinux label of all files"},
    {"fsname=", "NAME", "What mount(8) shows as the source"},
    {"ro", "", "Read-only"},
    {"nosuid", "", "Ignore set-user-id bits"},
    {"suid", "", "Heed set-user-id bits"},
    {"nodev", "", "Device nodes cannot be opened"},
    {"dev", "", "Device nodes can be opened"},
    {"noexec", "", "No program can be run"},
    {"exec", "", "Programs can be run"},
    {"noatime", "", "Keep no access times"},
    {"atime", "", "Keep access times"},
    {"relatime", "", "The same"},
    {"nodiratime", "", "Keep no access times of directories"},
    {"diratime", "", "Keep access times of directories"}};

}  // namespace

std::span<const MountOption> mount_options() { return kMountOptions; }

std::string usage() {
  std::string text =
      "usage: sbx-overlay [-f] [-d] -o "
      "lowerdir=DIR[:DIR]...[,upperdir=DIR,workdir=DIR][,OPTION]... MOUNTPOINT\n"
      "\n"
      "Options:\n"
      "  -f             Stay in the foreground\n"
      "  -d,--debug     The same\n"
      "  -o OPTION,...  Mount options, see below and sbx-overlay(1)\n"
      "  -h,--help      Show this\n"
      "  -V,--version   Show the version\n"
      "\n"
      "Mount options:\n";
  for (const MountOption& option : kMountOptions) {
    const std::string word = fmt::format("{}{}", option.name, option.value);
    text += fmt::format("  {:<38} {}\n", word, option.about);
  }
  return text;
}

Result<Options> Options::parse(std::span<const std::string> words) {
  Options options;
  bool only_names = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_names || word.empty() || word[0] != '-') {
      if (!options.mountpoint.empty()) {
        return fail(
            Error::make(ErrorCode::kInvalidArgument, "mount at", word, "a second mount point"));
      }
      options.mountpoint = word;
    } else if (word == "--") {
      only_names = true;
    } else if (word == "-f" || word == "-d" || word == "--debug") {
      options.foreground = true;
    } else if (word == "-s") {
      options.one_thread = true;
    } else if (word == "-h" || word == "--help") {
      options.action = Action::kHelp;
    } else if (word == "-V" || word == "--version") {
      options.action = Action::kVersion;
    } else if (word == "-o" && i + 1 < words.size()) {
      SBX_TRY(read_options(options, words[++i]));
    } else if (word.starts_with("-o") && word.size() > 2) {
      SBX_TRY(read_options(options, std::string_view(word).substr(2)));
    } else {
      return wrong(word, word == "-o" ? "options are missing" : "not known");
    }
  }
  SBX_TRY(check(options));
  return options;
}

}  // namespace sbx::overlay_mount
