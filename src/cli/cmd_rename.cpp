#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_rename(const GlobalOptions& global, const Words& words) {
  std::string container;
  std::string name;
  CommandLine line("rename", "Give a container another name, whether it runs or not.");
  line.argument("CONTAINER", container, "Name or id");
  line.argument("NEW-NAME", name, "What it is called from now on");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<std::monostate> renamed = rename_container(global.root, container, name);
  return renamed ? 0 : complain(renamed.failure());
}

}  // namespace sbx::cli
