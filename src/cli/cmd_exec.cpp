#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_exec(const GlobalOptions& global, const Words& words) {
  ExecOptions options;
  options.root = global.root;
  CommandLine line("exec", "Run a command in a container that runs.");
  line.flag("-d,--detach", options.detach, "In the background");
  line.flag("-i,--interactive", options.interactive, "Pass standard input on");
  line.flag("-t,--tty", options.terminal, "Give the command a terminal of its own");
  line.values("-e,--env", options.environment, "NAME[=VALUE]",
              "Set an environment variable, or pass ours on");
  line.values("--env-file", options.environment_files, "FILE",
              "Set environment variables from lines NAME[=VALUE]");
  line.value("-w,--workdir", options.working_directory, "DIR", "Working directory inside");
  line.value("-u,--user", options.user, "USER[:GROUP]", "User inside, by name or number");
  line.argument("CONTAINER", options.container, "Name or id");
  line.arguments("COMMAND", options.command, "What to run");
  line.arguments_end_options();
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<int> code = exec(options);
  return code ? code.value() : complain(code.failure());
}

}  // namespace sbx::cli
