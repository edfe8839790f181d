#include <sbx/container.hpp>

#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_restart(const GlobalOptions& global, const Words& words) {
  CommandLine line("restart", "End containers as 'sbx stop' does, and run them again.");
  const auto read = read_stop_words(global.root, line, words);
  if (const int* const code = std::get_if<int>(&read)) {
    return *code;
  }
  const auto& stop = std::get<StopWords>(read);
  return each_container(stop.names, [&](const std::string& name) {
    const Outcome<std::monostate> stopped = stop_container(global.root, name, stop.seconds);
    return stopped ? start_container(global.root, name) : stopped;
  });
}

}  // namespace sbx::cli
