#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_kill(const GlobalOptions& global, const Words& words) {
  ContainerChoice choice;
  std::string signal = "KILL";
  CommandLine line("kill", "Send a signal to the commands of running containers.");
  line.value("-s,--signal", signal, "SIGNAL", "By name or number (default: KILL)");
  line.flag("-a,--all", choice.all, "All that run");
  add_choice(line, choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const auto chosen = chosen_containers(global.root, choice, is_running);
  if (!chosen) {
    return complain(chosen.failure());
  }
  return each_container(chosen.value(), [&](const std::string& name) {
    return kill_container(global.root, name, signal);
  });
}

}  // namespace sbx::cli
