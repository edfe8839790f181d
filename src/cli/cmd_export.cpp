#include <sbx/archive.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_export(const GlobalOptions& global, const Words& words) {
  ExportOptions options;
  options.root = global.root;
  CommandLine line("export",
                   "Write the files of a container to a tar, image and changes together.");
  line.value("-o,--output", options.output, "FILE", "Where to write (default: standard output)");
  line.argument("CONTAINER", options.container, "Name, id or the beginning of an id");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (options.output == "-") {
    options.output.clear();
  }
  const auto exported = export_container(options);
  return exported ? 0 : complain(exported.failure());
}

}  // namespace sbx::cli
