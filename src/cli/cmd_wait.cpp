#include <array>
#include <cstdio>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_wait(const GlobalOptions& global, const Words& words) {
  std::vector<std::string> names;
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
  line.arguments("CONTAINER", names, "Name or id");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  int worst = 0;
  for (const std::string& name : names) {
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
