#include <cstdio>

#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_logout(const GlobalOptions& /*global*/, const Words& words) {
  bool all = false;
  std::string registry;
  RegistryOptions options;
  CommandLine line("logout", "Forget the password for a registry.");
  line.flag("-a,--all", all, "Forget all passwords");
  line.value("--authfile", options.auth_file, "FILE",
             "Credentials (default: the files of podman and docker)");
  line.argument("REGISTRY", registry, "HOST[:PORT][/NAMESPACE] (default: docker.io)", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (all && !registry.empty()) {
    return refuse("--all and a REGISTRY exclude each other");
  }
  std::vector<std::string> registries;
  if (!all) {
    registries.push_back(registry.empty() ? "docker.io" : registry);
  }
  const Outcome<std::vector<LoggedOut>> done = logout(registries, options);
  if (!done) {
    return complain(done.failure());
  }
  int worst = 0;
  for (const LoggedOut& one : done.value()) {
    if (one.found) {
      std::printf("Removed login credentials for %s\n", one.registry.c_str());
    } else if (one.left.empty()) {
      worst = refuse("not logged in to '" + one.registry + "'");
    }
    for (const std::string& file : one.left) {
      worst = refuse("'" + file + "' still has a password for '" + one.registry +
                     "'\n  hint: it is another program's; log out with docker or podman");
    }
  }
  return worst;
}

}  // namespace sbx::cli
