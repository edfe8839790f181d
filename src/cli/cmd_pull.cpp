#include <cstdio>

#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/registry_options.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_pull(const GlobalOptions& global, const Words& words) {
  PullOptions options;
  options.root = global.root;
  bool quiet = false;
  ProgressMode mode = ProgressMode::kAuto;
  CommandLine line("pull", "Fetch an image from a registry into the store.");
  line.value("--platform", options.platform, "OS/ARCH[/VARIANT]", "Which image of several to take");
  add_registry_options(line, options.registry);
  add_progress_option(line, mode);
  line.flag("-q,--quiet", quiet, "Print the image's id only");
  line.argument("NAME", options.name, "[REGISTRY/]NAME[:TAG][@DIGEST]");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  Outcome<Pulled> pulled = [&] {
    ProgressView view(quiet ? ProgressMode::kQuiet : mode);
    options.progress = [&](const TransferProgress& progress) { view.update(progress); };
    return pull(options);
  }();
  if (!pulled) {
    return complain(pulled.failure());
  }
  if (!quiet) {
    (void)std::fprintf(stderr, "%s %s\n", pulled.value().already ? "Up to date:" : "Pulled:",
                       pulled.value().reference.c_str());
  }
  std::printf("sha256:%s\n", pulled.value().id.c_str());
  return 0;
}

}  // namespace sbx::cli
