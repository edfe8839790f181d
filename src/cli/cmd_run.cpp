#include "cli/render.hpp"
#include "cli/run_options.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_run(const GlobalOptions& global, const Words& words) {
  SandboxOptions options;
  const Outcome<RunOptions> configured = configured_run_options();
  if (configured) {
    options.run = configured.value();
  }
  options.run.root = global.root;
  CommandLine line("run", "Run a command in a new sandbox made from an image.");
  bool detach = false;
  line.flag("-d,--detach", detach, "Run it in the background, and print the container's id");
  add_container_options(line, options);
  add_sandbox_options(line, options);
  line.argument("IMAGE", options.run.image,
                "A name, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], "
                "sif:FILE, sqsh:FILE, dir:ROOTFS, or host");
  line.arguments("COMMAND", options.run.command, "Instead of the image's command", false);
  line.arguments_end_options();
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (!configured) {
    return complain(configured.failure());  // not before --help could be answered
  }
  return detach ? execute_and_print_id(options, run_detached) : execute(options);
}

}  // namespace sbx::cli
