#include <cstdio>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_rmi(const GlobalOptions& global, const Words& words) {
  std::vector<std::string> names;
  bool force = false;
  CommandLine line("rmi", "Remove images, by name, id or digest, unless containers use them.");
  line.flag("-f,--force", force,
            "Also by an id that has several names, and what ended containers use");
  line.arguments("IMAGE", names, "What to remove");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  int worst = 0;
  for (const std::string& name : names) {
    const Outcome<Removed> removed = remove_image(global.root, name, force);
    if (!removed) {
      worst = complain(removed.failure());
      continue;
    }
    for (const std::string& untagged : removed.value().untagged) {
      std::printf("Untagged: %s\n", untagged.c_str());
    }
    if (!removed.value().deleted.empty()) {
      std::printf("Deleted: sha256:%s\n", removed.value().deleted.c_str());
    }
  }
  return worst;
}

}  // namespace sbx::cli
