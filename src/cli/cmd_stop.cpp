#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_stop(const GlobalOptions& global, const Words& words) {
  std::vector<std::string> names;
  std::optional<std::string> time;
  bool all = false;
  CommandLine line("stop",
                   "End containers: by their stop signal, and by SIGKILL if that does not do.");
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
    return stop_container(global.root, name, seconds);
  });
}

}  // namespace sbx::cli
