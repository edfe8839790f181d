#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_tag(const GlobalOptions& global, const Words& words) {
  std::string image;
  std::string name;
  CommandLine line("tag", "Give an image another name. A name that another image has moves.");
  line.argument("IMAGE", image, "Name, id or digest of the image");
  line.argument("NAME", name, "The new name");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const auto tagged = tag(global.root, image, name);
  return tagged ? 0 : complain(tagged.failure());
}

}  // namespace sbx::cli
