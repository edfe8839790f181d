#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_top(const GlobalOptions& global, const Words& words) {
  std::string name;
  std::vector<std::string> descriptors;
  bool latest = false;
  CommandLine line("top", "List the processes of a container.");
  line.flag("-l,--latest", latest, "Of the container that was made last, which is not named then");
  line.argument("CONTAINER", name, "Name or id", false);
  line.arguments("DESCRIPTOR", descriptors, "Podman's, as pid,user,args; default: docker's columns",
                 false);
  line.arguments_end_options();
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (latest && !name.empty()) {
    descriptors.insert(descriptors.begin(), std::exchange(name, ""));
  }
  const Outcome<std::string> chosen = chosen_container(global.root, name, latest);
  if (!chosen) {
    return complain(chosen.failure());
  }
  const auto table = container_processes(global.root, chosen.value(), descriptors);
  if (!table) {
    return complain(table.failure());
  }
  print_table(table.value());
  return 0;
}

}  // namespace sbx::cli
