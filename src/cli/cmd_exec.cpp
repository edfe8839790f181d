#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_exec(const GlobalOptions& global, const Words& words) {
  ExecOptions options;
  options.root = global.root;
  bool latest = false;
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
  line.flag("-l,--latest", latest, "In the container that was made last, which is not named then");
  line.argument("CONTAINER", options.container, "Name or id", false);
  line.arguments("COMMAND", options.command, "What to run", false);
  line.arguments_end_options();
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (latest && !options.container.empty()) {
    options.command.insert(options.command.begin(), std::move(options.container));
    options.container.clear();
  }
  if (options.command.empty()) {
    return refuse("a container and a command have to be named\n  hint: see 'sbx exec --help'");
  }
  const Outcome<std::string> chosen = chosen_container(global.root, options.container, latest);
  if (!chosen) {
    return complain(chosen.failure());
  }
  options.container = chosen.value();
  const Outcome<int> code = exec(options);
  return code ? code.value() : complain(code.failure());
}

}  // namespace sbx::cli
