#include "cli/render.hpp"
#include "cli/run_options.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_create(const GlobalOptions& global, const Words& words) {
  SandboxOptions options;
  const Outcome<RunOptions> configured = configured_run_options();
  if (configured) {
    options.run = configured.value();
  }
  options.run.root = global.root;
  CommandLine line("create", "Make a container from an image, for 'sbx start' to run.");
  add_container_options(line, options);
  add_sandbox_options(line, options);
  line.argument("IMAGE", options.run.image, "As for 'sbx run'");
  line.arguments("COMMAND", options.run.command, "Instead of the image's command", false);
  line.arguments_end_options();
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (!configured) {
    return complain(configured.failure());  // not before --help could be answered
  }
  return execute_and_print_id(options, create_container);
}

}  // namespace sbx::cli
