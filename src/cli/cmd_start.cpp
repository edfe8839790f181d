#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_start(const GlobalOptions& global, const Words& words) {
  std::vector<std::string> names;
  CommandLine line("start", "Run containers that were created or have ended, in the background.");
  line.arguments("CONTAINER", names, "Name or id");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  return each_container(
      names, [&](const std::string& name) { return start_container(global.root, name); });
}

}  // namespace sbx::cli
