#include "cli/run_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "cli/each_container.hpp"
#include "cli/progress.hpp"
#include "cli/registry_options.hpp"
#include "cli/render.hpp"
#include "cli/restart_options.hpp"

namespace sbx::cli {
namespace {

/// Docker's --security-opt, as far as it means something here. The failure's message, or nothing.
std::string read_security_option(const std::string& text, RunOptions& run) {
  if (text == "no-new-privileges" || text == "no-new-privileges=true" ||
      text == "no-new-privileges:true") {
    run.no_new_privileges = true;
  } else if (text == "no-new-privileges=false" || text == "no-new-privileges:false") {
    run.no_new_privileges = false;
  } else if (text == "unmask=ALL" || text == "unmask=all") {
    run.unmask = true;
  } else {
    return "--security-opt '" + text +
           "' is not supported\n"
           "  hint: no-new-privileges[=false] and unmask=ALL are";
  }
  return {};
}

std::optional<std::uint32_t> read_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool good = error == std::errc() && stop == text.data() + text.size() && id != UINT32_MAX;
  return good ? std::optional(id) : std::nullopt;
}

/// "uid=N,gid=N", one or both. False if it is something else.
bool read_kept_ids(std::string_view text, KeptIds& kept) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    std::optional<std::uint32_t>* id = part.starts_with("uid=")   ? &kept.uid
                                       : part.starts_with("gid=") ? &kept.gid
                                                                  : nullptr;
    if (id == nullptr || id->has_value() || !(*id = read_id(part.substr(4)))) {
      return false;
    }
  }
  return kept.uid || kept.gid;
}

/// Podman's --userns, as far as it means something here. The failure's message, or nothing.
std::string read_user_namespace(const std::string& text, RunOptions& run) {
  constexpr std::array<std::pair<std::string_view, UserNamespaceMode>, 4> kModes{
      {{"auto", UserNamespaceMode::kAuto},
       {"full", UserNamespaceMode::kFull},
       {"single", UserNamespaceMode::kSingle},
       {"keep-id", UserNamespaceMode::kKeepId}}};
  constexpr std::string_view kKeep = "keep-id:";
  if (text.starts_with(kKeep)) {
    run.user_namespace = UserNamespaceMode::kKeepId;
    return read_kept_ids(std::string_view(text).substr(kKeep.size()), run.kept_ids)
               ? ""
               : "--userns '" + text +
                     "' is not understood\n  hint: after 'keep-id:' come uid=NUMBER and "
                     "gid=NUMBER, with a comma between them";
  }
  for (const auto& [name, mode] : kModes) {
    if (text == name) {
      run.user_namespace = mode;
      return "";
    }
  }
  return "--userns '" + text +
         "' is not supported\n  hint: auto, full, single, keep-id and keep-id:uid=N,gid=N are";
}

/// Docker's sizes: a number, and b, k, m, g, t or p for powers of 1024, with or without "b" or "ib" behind.
std::optional<std::uint64_t> read_size(std::string_view text) {
  constexpr std::string_view kUnits = "bkmgtp";
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(stop, text.data() + text.size());
  std::transform(unit.begin(), unit.end(), unit.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::size_t power = unit.empty() ? 0 : kUnits.find(unit.front());
  const std::string_view rest = std::string_view(unit).substr(unit.empty() ? 0 : 1);
  const bool good = error == std::errc() && power != std::string_view::npos &&
                    (rest.empty() || (power > 0 && (rest == "b" || rest == "ib")));
  if (!good || number > (UINT64_MAX >> (10 * power))) {
    return std::nullopt;
  }
  return number << (10 * power);
}

/// Docker's --storage-opt. The failure's message, or nothing.
std::string read_storage_option(const std::string& text, RunOptions& run) {
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  std::uint64_t* limit = key == "size"     ? &run.storage.bytes
                         : key == "inodes" ? &run.storage.files
                                           : nullptr;
  if (limit == nullptr) {
    return "--storage-opt '" + text +
           "' is not supported\n  hint: size=BYTES and inodes=NUMBER are";
  }
  const auto number = equals == std::string::npos
                          ? std::nullopt
                          : read_size(std::string_view(text).substr(equals + 1));
  if (!number || *number == 0) {
    return "--storage-opt '" + text +
           "' is not understood\n  hint: a number above 0, for sizes with k, m, g or t behind it";
  }
  *limit = *number;
  return "";
}

}  // namespace

void add_sandbox_options(CommandLine& line, SandboxOptions& options) {
  RunOptions& run = options.run;
  line.values("-e,--env", run.environment, "NAME[=VALUE]",
              "Set an environment variable, or pass ours on");
  line.values("--env-file", run.environment_files, "FILE",
              "Set environment variables from lines NAME[=VALUE]");
  line.value("-w,--workdir", run.working_directory, "DIR", "Working directory inside");
  line.value("-u,--user", run.user, "USER[:GROUP]", "User inside, by name or number");
  line.values("-l,--label", run.labels, "NAME[=VALUE]", "A label of the container");
  line.values("--label-file", run.label_files, "FILE", "Labels from lines NAME[=VALUE]");
  line.values("-v,--volume", run.volumes, "[SRC:]DST[:OPTIONS]",
              "Show a file or directory of the host, or a volume, inside");
  line.values("--mount", run.mounts, "type=TYPE,KEY=VALUE,...",
              "Mount a bind, volume or tmpfs; see sbx-run(1)");
  line.values("--volumes-from", run.volumes_from, "CONTAINER[:ro|rw]",
              "Mount what another container mounts");
  line.value("--shm-size", options.shm_size, "BYTES[k|m|g]",
             "Size of /dev/shm (default: 64m; 0: no limit)");
  line.values("--tmpfs", run.tmpfs, "DST[:OPTIONS]", "Mount an empty file system in memory");
  line.values("--device", run.devices, "HOST[:INSIDE]", "Show a device of the host inside");
  line.value("-h,--hostname", run.hostname, "NAME",
             "Host name inside (default: the container's id)");
  line.value("--entrypoint", run.entry_point, "COMMAND",
             "Replace the image's entry point; empty: none");
  line.flag("--read-only", run.read_only, "The root file system cannot be written");
  line.tristate("--read-only-tmpfs", options.read_only_tmpfs,
                "With --read-only: /run, /tmp and /var/tmp are in memory, and can be written "
                "(default)");
  line.choice(
      "--net,--network", {"slirp", "none", "host"},
      [&run](std::size_t index) {
        constexpr std::array<NetworkMode, 3> kModes{NetworkMode::kSlirp, NetworkMode::kNone,
                                                    NetworkMode::kHost};
        run.network = kModes.at(index);
      },
      "Network: an address of its own (default), loopback only, or the host's");
  line.value("--userns", options.user_namespace, "auto|full|single|keep-id[:uid=N,gid=N]",
             "Ids inside: a full range if there are subordinate ids, else one (auto, the default); "
             "one or the other; or the invoker's own id kept, or called N");
  line.choice(
      "--overlay", {"auto", "fuse", "kernel"},
      [&run](std::size_t index) {
        constexpr std::array<OverlayEngine, 3> kEngines{OverlayEngine::kAuto, OverlayEngine::kFuse,
                                                        OverlayEngine::kKernel};
        run.overlay = kEngines.at(index);
      },
      "Who takes the changes to the image: the kernel's overlay where it can and the container is "
      "removed at its end (auto, the default), our file system, or the kernel's overlay");
  line.values("--storage-opt", options.storage, "OPTION",
              "Most that the container may add to the disk: size=BYTES[k|m|g|t], inodes=NUMBER");
  line.flag("--acl", run.acls, "Keep POSIX ACLs (setfacl) in our file system");
  line.values("--security-opt", options.security, "OPTION",
              "no-new-privileges[=false], unmask=ALL");
  line.value("--platform", run.platform, "OS/ARCH[/VARIANT]", "Which image of several to take");
  line.choice(
      "--pull", {"missing", "always", "newer", "never"},
      [&run](std::size_t index) {
        constexpr std::array<PullPolicy, 4> kPolicies{PullPolicy::kMissing, PullPolicy::kAlways,
                                                      PullPolicy::kNewer, PullPolicy::kNever};
        run.pull = kPolicies.at(index);
      },
      "Fetch the image from its registry: if it is not here (default), always, always but what "
      "is here will do, never");
  add_registry_options(line, run.registry);
  line.tristate("--init", run.init,
                "A process of ours is PID 1, reaps and forwards signals (default; --init=false: "
                "the command is PID 1)");
  line.value("--name", run.name, "NAME", "Name of the container (default: made up)");
  line.flag("--dry-run", options.dry_run, "Print what would be done, as JSON, and do nothing");
  line.flag("--timings", run.timings, "Tell on standard error where start-up time went");
  line.flag(
      "--fs-stats", run.fs_stats,
      "Tell on standard error, at the end, what the file system was asked, and how long that took");
}

void add_container_options(CommandLine& line, SandboxOptions& options) {
  line.flag("--rm", options.run.remove, "Remove the container when it ends");
  line.flag("-i,--interactive", options.run.interactive, "Pass standard input on");
  line.flag("-t,--tty", options.run.terminal, "Give the sandbox a terminal of its own");
  line.value("--log-driver", options.log_driver, "json-file|none",
             "Whether what a container in the background writes is kept for 'sbx logs' (default)");
  line.values("--log-opt", options.log_options, "OPTION",
              "max-size=BYTES[k|m|g] of one file of the log, max-file=NUMBER of files to keep");
  line.value("--stop-signal", options.run.stop_signal, "SIGNAL",
             "What 'sbx stop' sends (default: the image's, else SIGTERM)");
  line.value("--stop-timeout", options.stop_timeout, "SECONDS",
             "How long 'sbx stop' waits before it kills (default: 10; negative: for ever)");
  line.value("--restart", options.restart, "no|on-failure[:N]|always|unless-stopped",
             "When it runs again by itself after its end (default: no)");
  add_health_options(line, options.health);
  line.value("--cidfile", options.id_file, "FILE",
             "Write the container's id to a file, which must not be there yet");
}

namespace {

/// Docker's --log-opt. The failure's message, or nothing.
std::string read_log_option(const std::string& text, LogOptions& log) {
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  const auto number = equals == std::string::npos
                          ? std::nullopt
                          : read_size(std::string_view(text).substr(equals + 1));
  if (key != "max-size" && key != "max-file") {
    return "--log-opt '" + text + "' is not supported\n  hint: max-size= and max-file= are";
  }
  constexpr std::uint64_t kMostFiles = 1000;
  if (number.value_or(0) == 0 || (key == "max-file" && number.value_or(0) > kMostFiles)) {
    return "--log-opt '" + text + "' is not understood\n  hint: max-size=10m, max-file=3";
  }
  if (key == "max-size") {
    log.max_size = *number;
  } else {
    log.max_files = static_cast<unsigned>(*number);
  }
  return "";
}

std::string read_log_options(SandboxOptions& options) {
  LogOptions& log = options.run.log;
  if (options.log_driver && *options.log_driver != "json-file" && *options.log_driver != "none") {
    return "--log-driver '" + *options.log_driver +
           "' is not supported\n  hint: json-file and none are";
  }
  log.driver = options.log_driver == "none" ? LogDriver::kNone : LogDriver::kJsonFile;
  for (const std::string& text : options.log_options) {
    if (std::string wrong = read_log_option(text, log); !wrong.empty()) {
      return wrong;
    }
  }
  return log.max_files > 1 && log.max_size == 0 ? "--log-opt max-file goes with max-size" : "";
}

/// What the parser could not put where it belongs. The failure's message, or nothing.
std::string read_texts(SandboxOptions& options) {
  if (options.user_namespace) {
    if (std::string wrong = read_user_namespace(*options.user_namespace, options.run);
        !wrong.empty()) {
      return wrong;
    }
  }
  for (const std::string& text : options.storage) {
    if (std::string wrong = read_storage_option(text, options.run); !wrong.empty()) {
      return wrong;
    }
  }
  for (const std::string& text : options.security) {
    if (std::string wrong = read_security_option(text, options.run); !wrong.empty()) {
      return wrong;
    }
  }
  options.run.read_only_tmpfs = options.read_only_tmpfs.value_or(true);
  if (options.shm_size) {
    options.run.shm_size = read_size(*options.shm_size);
    if (!options.run.shm_size) {
      return "--shm-size '" + *options.shm_size +
             "' is not understood\n  hint: a number, with k, m or g behind it";
    }
  }
  if (options.stop_timeout) {
    const std::optional<int> seconds = read_seconds(*options.stop_timeout);
    if (!seconds) {
      return "--stop-timeout '" + *options.stop_timeout + "' is no number of seconds";
    }
    options.run.stop_timeout = *seconds;
  }
  if (options.restart) {
    const std::optional<RestartOptions> restart = read_restart(*options.restart);
    if (!restart) {
      return "--restart '" + *options.restart +
             "' is not supported\n  hint: no, on-failure[:N], always and unless-stopped are";
    }
    options.run.restart = *restart;
  }
  if (options.run.remove && options.run.restart.policy != RestartPolicy::kNo) {
    return "--rm and --restart do not go together";
  }
  if (std::string wrong = read_health(options.health, options.run.health); !wrong.empty()) {
    return wrong;
  }
  return read_log_options(options);
}

int print_plan(const RunOptions& run) {
  const Outcome<std::string> planned = plan(run);
  if (!planned) {
    return complain(planned.failure());
  }
  std::printf("%s\n", planned.value().c_str());
  return 0;
}

}  // namespace

int execute(SandboxOptions& options) {
  if (std::string wrong = read_texts(options); !wrong.empty()) {
    return complain({125, std::move(wrong)});
  }
  if (options.dry_run) {
    return print_plan(options.run);
  }
  options.run.id_file = options.id_file;
  ProgressView view(ProgressMode::kAuto);
  options.run.progress = [&](const TransferProgress& progress) { view.update(progress); };
  const Outcome<int> code = run(options.run);
  return code ? code.value() : complain(code.failure());
}

int execute_and_print_id(SandboxOptions& options,
                         const std::function<Outcome<std::string>(const RunOptions&)>& make) {
  if (std::string wrong = read_texts(options); !wrong.empty()) {
    return complain({125, std::move(wrong)});
  }
  if (options.dry_run) {
    return print_plan(options.run);
  }
  if (options.run.timings || options.run.fs_stats) {
    return refuse("--timings and --fs-stats go with a command in the foreground");
  }
  options.run.id_file = options.id_file;
  ProgressView view(ProgressMode::kAuto);
  options.run.progress = [&](const TransferProgress& progress) { view.update(progress); };
  const Outcome<std::string> id = make(options.run);
  if (!id) {
    return complain(id.failure());
  }
  std::printf("%s\n", id.value().c_str());
  return 0;
}

}  // namespace sbx::cli
