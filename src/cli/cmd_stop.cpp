#include <sbx/container.hpp>

#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_stop(const GlobalOptions& global, const Words& words) {
  CommandLine line("stop",
                   "End containers: by their stop signal, and by SIGKILL if that does not do.");
  const auto read = read_stop_words(global.root, line, words);
  if (const int* const code = std::get_if<int>(&read)) {
    return *code;
  }
  const auto& stop = std::get<StopWords>(read);
  return each_container(stop.names, [&](const std::string& name) {
    return stop_container(global.root, name, stop.seconds);
  });
}

}  // namespace sbx::cli
