#include "registry/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "sys/file.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxFiles = 1000;

std::string xdg(const char* variable, const std::string& home, std::string_view below_home) {
  std::string value = sys::environment(variable);
  if (value.starts_with('/')) {
    return value;
  }
  return home.empty() ? std::string() : fmt::format("{}/{}", home, below_home);
}

std::vector<std::string> absolute_directories(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const std::size_t colon = std::min(path.find(':'), path.size());
    if (path.starts_with('/')) {
      out.emplace_back(path.substr(0, colon));
    }
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return out;
}

bool absent(const Error& error) { return error.sys_errno == ENOENT || error.sys_errno == ENOTDIR; }

}  // namespace

Environment Environment::of_process(const sys::Invoker& who) {
  Environment env;
  env.uid = who.uid;
  env.home = who.home;
  env.config_home = xdg("XDG_CONFIG_HOME", who.home, ".config");
  env.cache_home = xdg("XDG_CACHE_HOME", who.home, ".cache");
  env.runtime_dir = xdg("XDG_RUNTIME_DIR", "", "");
  env.registries_conf = sys::environment("CONTAINERS_REGISTRIES_CONF");
  env.registries_conf_override = sys::environment("CONTAINERS_REGISTRIES_CONF_OVERRIDE");
  env.auth_file = sys::environment("REGISTRY_AUTH_FILE");
  env.docker_config = sys::environment("DOCKER_CONFIG");
  if (std::string temporary = sys::environment("TMPDIR"); temporary.starts_with('/')) {
    env.temporary_dir = std::move(temporary);
  }
  env.path = absolute_directories(sys::environment("PATH"));
  return env;
}

std::string Environment::system(std::string_view absolute) const {
  return fmt::format("{}{}", root, absolute);
}

Result<std::optional<std::string>> read_if_there(const std::string& path, std::size_t max) {
  Result<std::string> text = sys::read_file_at(AT_FDCWD, path, max);
  if (!text && absent(text.error())) {
    return std::optional<std::string>{};
  }
  return std::optional<std::string>(SBX_TRY(std::move(text)));
}

Result<std::vector<std::string>> list_files(const std::string& directory, std::string_view suffix) {
  Result<std::vector<std::string>> names = sys::list_dir(AT_FDCWD, directory);
  if (!names && absent(names.error())) {
    return std::vector<std::string>{};
  }
  std::vector<std::string> out;
  for (const std::string& name : SBX_TRY(std::move(names))) {
    if (!name.ends_with(suffix)) {
      continue;
    }
    const Result<sys::Fd> file =
        sys::open_at(AT_FDCWD, fmt::format("{}/{}", directory, name), O_PATH);
    if (!file) {
      continue;  // gone meanwhile, or a link to nothing
    }
    if (S_ISREG(SBX_TRY(sys::stat_fd(file->get(), name)).st_mode)) {
      out.push_back(name);
    }
    if (out.size() > kMaxFiles) {
      return fail(Error::make(ErrorCode::kLimit, "read", directory,
                              fmt::format("more than {} files", kMaxFiles)));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<std::string>> drop_ins(const Environment& env, std::string_view stem,
                                          std::string_view inner, std::string_view suffix) {
  std::vector<std::string> directories;
  for (const char* place : {"/usr/share/containers", "/etc/containers"}) {
    const std::string folder = env.system(place);
    directories.push_back(fmt::format("{}/{}{}.d", folder, stem, inner));
    if (env.uid == 0) {
      directories.push_back(fmt::format("{}/{}.rootful{}.d", folder, stem, inner));
    } else {
      directories.push_back(fmt::format("{}/{}.rootless{}.d", folder, stem, inner));
      directories.push_back(fmt::format("{}/{}", directories.back(), env.uid));
    }
  }
  if (!env.config_home.empty()) {
    directories.push_back(fmt::format("{}/containers/{}{}.d", env.config_home, stem, inner));
  }
  std::map<std::string, std::string> by_name;
  for (const std::string& directory : directories) {
    for (const std::string& name : SBX_TRY(list_files(directory, suffix))) {
      by_name[name] = fmt::format("{}/{}", directory, name);
    }
  }
  std::vector<std::string> out;
  out.reserve(by_name.size());
  for (auto& [name, path] : by_name) {
    out.push_back(std::move(path));
  }
  return out;
}

}  // namespace sbx::registry
