#include <cstdio>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_untag(const GlobalOptions& global, const Words& words) {
  std::string image;
  std::vector<std::string> names;
  CommandLine line("untag", "Take names from an image. The image stays, and is found by its id.");
  line.argument("IMAGE", image, "Name, id or digest of the image");
  line.arguments("NAME", names, "The names to take (default: all that it has)", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<std::vector<std::string>> taken = untag(global.root, image, names);
  if (!taken) {
    return complain(taken.failure());
  }
  for (const std::string& name : taken.value()) {
    std::printf("Untagged: %s\n", name.c_str());
  }
  return 0;
}

}  // namespace sbx::cli
