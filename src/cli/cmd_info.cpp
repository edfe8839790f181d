#include <array>
#include <cstdio>

#include <sbx/json.hpp>
#include <sbx/system.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

struct Line {
  const char* title;
  const char* path;  // in the JSON
};

constexpr std::array<Line, 19> kLines{{{"Containers", "Containers"},
                                       {" Running", "ContainersRunning"},
                                       {" Paused", "ContainersPaused"},
                                       {" Stopped", "ContainersStopped"},
                                       {"Images", "Images"},
                                       {"Version", "ServerVersion"},
                                       {"Data directory", "store.graphRoot"},
                                       {"Configuration", "store.configFiles"},
                                       {"Other image stores", "store.imageStores"},
                                       {"Kernel", "KernelVersion"},
                                       {"Operating system", "OperatingSystem"},
                                       {"Architecture", "Architecture"},
                                       {"CPUs", "NCPU"},
                                       {"Rootless", "host.security.rootless"},
                                       {"User namespaces", "host.userNamespaces.found"},
                                       {"One id only", "host.idMappings.singleId"},
                                       {"Kernel's overlay", "host.kernelOverlay.found"},
                                       {"Control groups", "host.cgroup.found"},
                                       {"Network", "host.network.slirp.found"}}};

int print_lines(const std::string& json) {
  for (const Line& line : kLines) {
    const Outcome<std::string> value = json_value(json, line.path, JsonForm::kText);
    if (!value) {
      return complain(value.failure());
    }
    std::printf("%s: %s\n", line.title, value.value().c_str());
  }
  return 0;
}

}  // namespace

int cmd_info(const GlobalOptions& global, const Words& words) {
  std::string format;
  CommandLine line("info", "Show the machine, the store and what is in it.");
  line.value("-f,--format", format, "json|TEMPLATE",
             "How to print; TEMPLATE as '{{.Containers}} {{.host.kernel}}'");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<std::string> info = system_info(global.root);
  if (!info) {
    return complain(info.failure());
  }
  if (format == "json") {
    std::printf("%s\n", info.value().c_str());
    return 0;
  }
  return format.empty() ? print_lines(info.value()) : print_by_template(format, info.value());
}

}  // namespace sbx::cli
