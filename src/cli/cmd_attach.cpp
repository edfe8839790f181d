#include <sbx/container.hpp>

#include "cli/attach_options.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_attach(const GlobalOptions& global, const Words& words) {
  AttachOptions options;
  std::string name;
  bool no_input = false;
  CommandLine line("attach",
                   "Pass standard streams on, from and to a container in the background.");
  add_attach_options(line, options);
  line.flag("--no-stdin", no_input, "Only show what it writes");
  line.argument("CONTAINER", name, "Name or id");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  options.input = !no_input;
  const Outcome<int> code = attach_container(global.root, name, options);
  return code ? code.value() : complain(code.failure());
}

}  // namespace sbx::cli
