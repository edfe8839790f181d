#include <cstdio>

#include <sbx/archive.hpp>
#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

void print_loaded(const Image& image, bool quiet) {
  if (quiet) {
    std::printf("sha256:%s\n", image.id.c_str());
    return;
  }
  if (image.names.empty()) {
    std::printf("Loaded image ID: sha256:%s\n", image.id.c_str());
    return;
  }
  for (const std::string& each : image.names) {
    std::printf("Loaded image: %s\n", each.c_str());
  }
}

int load_source(const LoadOptions& options, bool quiet) {
  const Outcome<Image> loaded = load(options);
  if (!loaded) {
    return complain(loaded.failure());
  }
  print_loaded(loaded.value(), quiet);
  return 0;
}

int load_whole(const LoadArchiveOptions& options, bool quiet) {
  const Outcome<std::vector<Image>> loaded = load_archive(options);
  if (!loaded) {
    return complain(loaded.failure());
  }
  for (const Image& image : loaded.value()) {
    print_loaded(image, quiet);
  }
  return 0;
}

}  // namespace

int cmd_load(const GlobalOptions& global, const Words& words) {
  LoadOptions options;
  options.root = global.root;
  std::string input;
  bool quiet = false;
  CommandLine line("load",
                   "Take images from a directory or an archive of this machine into the store.");
  line.value("-i,--input", input, "FILE",
             "An archive of which all images are loaded (default: standard input)");
  line.value("-t,--tag", options.name, "NAME",
             "Name for the image (default: those that the source has)");
  line.value("--platform", options.platform, "OS/ARCH[/VARIANT]", "Which image of several to take");
  line.flag("-q,--quiet", quiet, "Print the images' ids only");
  line.argument("SOURCE", options.source,
                "Instead of an archive: oci:DIR[:REF], oci-archive:FILE[:REF] or "
                "docker-archive:FILE[:REF]",
                false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (options.source.empty()) {
    return load_whole({global.root, input == "-" ? "" : input, options.name, options.platform},
                      quiet);
  }
  if (!input.empty()) {
    return complain({125, "either --input or SOURCE, not both\n  hint: see 'sbx load --help'"});
  }
  return load_source(options, quiet);
}

}  // namespace sbx::cli
