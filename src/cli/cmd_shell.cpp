#include "cli/render.hpp"
#include "cli/run_options.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_shell(const GlobalOptions& global, const Words& words) {
  SandboxOptions options;
  const Outcome<RunOptions> configured = configured_run_options();
  if (configured) {
    options.run = configured.value();
  }
  options.run.root = global.root;
  CommandLine line(
      "shell",
      "Open a developer's shell: your id, groups, environment, home and current directory, "
      "with a file tree of its own that is gone with the shell.");
  add_sandbox_options(line, options);
  line.argument("IMAGE", options.run.image, "As for 'sbx run' (default: host)", false);
  line.arguments("COMMAND", options.run.command, "Instead of a shell", false);
  line.arguments_end_options();
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (!configured) {
    return complain(configured.failure());  // not before --help could be answered
  }
  Outcome<RunOptions> filled = shell_options(options.run);
  if (!filled) {
    return complain(filled.failure());
  }
  options.run = std::move(filled.value());
  return execute(options);
}

}  // namespace sbx::cli
