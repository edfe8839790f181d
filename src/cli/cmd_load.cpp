#include <cstdio>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_load(const GlobalOptions& global, const Words& words) {
  LoadOptions options;
  options.root = global.root;
  bool quiet = false;
  CommandLine line("load",
                   "Take an image from a directory or an archive of this machine into the store.");
  line.value("-t,--tag", options.name, "NAME",
             "Name for the image (default: those that the source has)");
  line.value("--platform", options.platform, "OS/ARCH[/VARIANT]", "Which image of several to take");
  line.flag("-q,--quiet", quiet, "Print the image's id only");
  line.argument("SOURCE", options.source,
                "oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:REF]");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<Image> loaded = load(options);
  if (!loaded) {
    return complain(loaded.failure());
  }
  const Image& image = loaded.value();
  if (quiet) {
    std::printf("sha256:%s\n", image.id.c_str());
    return 0;
  }
  for (const std::string& name : image.names) {
    std::printf("Loaded image: %s\n", name.c_str());
  }
  if (image.names.empty()) {
    std::printf("Loaded image ID: sha256:%s\n", image.id.c_str());
  }
  return 0;
}

}  // namespace sbx::cli
