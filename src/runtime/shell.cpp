#include <algorithm>
#include <array>

#include "runtime/run.hpp"
#include "runtime/squash_source.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

bool is_below(const std::string& path, const std::string& directory) {
  return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

/// Directories of the sandbox's own, which a mount of the host's would hide.
bool is_reserved(const std::string& path) {
  constexpr std::array<const char*, 3> kOwn{"/proc", "/sys", "/dev"};
  return path == "/" || std::any_of(kOwn.begin(), kOwn.end(),
                                    [&](const char* own) { return is_below(path, own); });
}

}  // namespace

Result<RunRequest> with_shell_defaults(RunRequest request) {
  const sys::Invoker who = sys::invoker();
  if (request.image.empty()) {
    request.image = "host";
  }
  request.host_user = true;
  request.remove = true;
  request.interactive = true;
  request.terminal = sys::is_terminal(0) && sys::is_terminal(1);
  if (request.user_namespace == UserNamespaceMode::kAuto && who.uid != 0) {
    request.user_namespace = UserNamespaceMode::kKeepId;
  }
  const std::string here = SBX_TRY(sys::current_directory());
  const bool home_there = !is_reserved(who.home) && sys::exists_at(AT_FDCWD, who.home);
  if (home_there) {
    request.volumes.push_back(who.home + ":" + who.home);
  }
  if (!is_reserved(here) && !(home_there && is_below(here, who.home))) {
    request.volumes.push_back(here + ":" + here);
  }
  if (!request.working_directory) {
    request.working_directory = here;
  }
  // The user's own environment first, so that --env still wins.
  std::vector<std::string> environment = sys::environment();
  environment.insert(environment.end(), request.environment.begin(), request.environment.end());
  request.environment = std::move(environment);
  if (request.command.empty() && is_sif_name(request.image)) {
    request.command = {"/bin/sh"};  // behind the image's environment scripts
  } else if (request.command.empty() && !request.entry_point) {
    const bool host = request.image == "host";
    request.entry_point = host && !who.shell.empty() ? who.shell : "/bin/sh";
  }
  return request;
}

}  // namespace sbx::runtime
