#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_restart(const GlobalOptions& global, const Words& words) {
  std::vector<std::string> names;
  std::optional<std::string> time;
  bool all = false;
  CommandLine line("restart", "End containers as 'sbx stop' does, and run them again.");
  line.value("-t,--time", time, "SECONDS",
             "How long to wait before SIGKILL (default: as the container was made, else 10; "
             "negative: for ever)");
  line.flag("-a,--all", all, "All that run");
  line.arguments("CONTAINER", names, "Name or id", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  std::optional<int> seconds;
  if (time && !(seconds = read_seconds(*time))) {
    return refuse("--time '" + *time + "' is no number of seconds");
  }
  const auto chosen = chosen_containers(
      global.root, names, all, [](const std::string& status) { return status == "running"; });
  if (!chosen) {
    return complain(chosen.failure());
  }
  return each_container(chosen.value(), [&](const std::string& name) {
    const Outcome<std::monostate> stopped = stop_container(global.root, name, seconds);
    return stopped ? start_container(global.root, name) : stopped;
  });
}

}  // namespace sbx::cli
