#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sys/xdg.hpp"

namespace sbx::registry {

/// Where this user's and this machine's configuration files stand. Read once by the program; tests make their own.
struct Environment {
  uid_t uid = 0;
  std::string home;             // absolute, or empty
  std::string config_home;      // $XDG_CONFIG_HOME, else ~/.config; empty if there is no home
  std::string cache_home;       // $XDG_CACHE_HOME, else ~/.cache; empty if there is no home
  std::string runtime_dir;      // $XDG_RUNTIME_DIR; may be empty
  std::string registries_conf;  // $CONTAINERS_REGISTRIES_CONF
  std::string registries_conf_override;  // $CONTAINERS_REGISTRIES_CONF_OVERRIDE
  std::string auth_file;                 // $REGISTRY_AUTH_FILE
  std::string docker_config;             // $DOCKER_CONFIG, a directory
  std::vector<std::string> path;         // $PATH, its absolute directories
  std::string temporary_dir = "/tmp";    // $TMPDIR
  std::string root;  // stands before /etc, /usr, /run and /var; for tests, else empty

  /// Of this process. Relative values of the XDG variables are ignored, as the base directory specification has it.
  static Environment of_process(const sys::Invoker& who);

  /// A path below /etc, /usr, /run or /var.
  [[nodiscard]] std::string system(std::string_view absolute) const;
};

/// A configuration file as it stands; nullopt if there is none. kLimit if it is larger than `max`.
Result<std::optional<std::string>> read_if_there(const std::string& path, std::size_t max);

/// Names of the regular files in a directory that end in `suffix`, sorted; empty if there is no such directory. Symlinks are
/// followed. kLimit if there are more than 1,000.
Result<std::vector<std::string>> list_files(const std::string& directory, std::string_view suffix);

/// The files that end in `suffix` in STEM + `inner` + ".d" (and, for root, STEM.rootful + `inner` + ".d", else STEM.rootless
/// and its subfolder named by the uid) of /usr/share/containers, /etc/containers and the user's folder, ordered by name; of
/// two of the same name the one nearer to the user.
Result<std::vector<std::string>> drop_ins(const Environment& env, std::string_view stem,
                                          std::string_view inner, std::string_view suffix);

}  // namespace sbx::registry
