#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// The words of `pause` and `unpause`; or the exit code if there is nothing more to do.
std::variant<std::vector<std::string>, int> read_words(const std::string& root, CommandLine& line,
                                                       const Words& words, const char* all_help,
                                                       const char* status) {
  ContainerChoice choice;
  line.flag("-a,--all", choice.all, all_help);
  add_choice(line, choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const auto chosen = chosen_containers(
      root, choice, [status](const Container& one) { return one.status == status; });
  if (!chosen) {
    return complain(chosen.failure());
  }
  return chosen.value();
}

}  // namespace

int cmd_pause(const GlobalOptions& global, const Words& words) {
  CommandLine line("pause", "Stop all processes of containers, until 'sbx unpause'.");
  const auto names = read_words(global.root, line, words, "All that run", "running");
  if (const int* const code = std::get_if<int>(&names)) {
    return *code;
  }
  return each_container(std::get<std::vector<std::string>>(names), [&](const std::string& name) {
    return pause_container(global.root, name);
  });
}

int cmd_unpause(const GlobalOptions& global, const Words& words) {
  CommandLine line("unpause", "Let the processes of paused containers go on.");
  const auto names = read_words(global.root, line, words, "All that are paused", "paused");
  if (const int* const code = std::get_if<int>(&names)) {
    return *code;
  }
  return each_container(std::get<std::vector<std::string>>(names), [&](const std::string& name) {
    return unpause_container(global.root, name);
  });
}

}  // namespace sbx::cli
