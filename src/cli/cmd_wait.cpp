#include <array>
#include <cstdio>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_wait(const GlobalOptions& global, const Words& words) {
  ContainerChoice choice;
  WaitCondition condition = WaitCondition::kNotRunning;
  CommandLine line("wait", "Wait until containers have ended, and print their exit codes.");
  line.choice(
      "--condition", {"not-running", "next-exit", "removed"},
      [&](std::size_t index) {
        condition = std::array{WaitCondition::kNotRunning, WaitCondition::kNextExit,
                               WaitCondition::kRemoved}
                        .at(index);
      },
      "What is waited for (default: not-running, which may be so already)");
  add_choice(line, choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const auto chosen = chosen_containers(global.root, choice);
  if (!chosen) {
    return complain(chosen.failure());
  }
  int worst = 0;
  for (const std::string& name : chosen.value()) {
    const Outcome<int> code = wait_for_container(global.root, name, condition);
    if (code) {
      std::printf("%d\n", code.value());
      std::fflush(stdout);
    } else {
      worst = complain(code.failure());
    }
  }
  return worst;
}

}  // namespace sbx::cli
