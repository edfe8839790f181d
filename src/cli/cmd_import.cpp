#include <cstdio>

#include <sbx/archive.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_import(const GlobalOptions& global, const Words& words) {
  ImportOptions options;
  options.root = global.root;
  CommandLine line("import", "Make an image of one layer from a root file system in a tar.");
  line.values("-c,--change", options.changes, "INSTRUCTION",
              "As in a Containerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, "
              "VOLUME, WORKDIR");
  line.value("-m,--message", options.message, "TEXT", "Comment of the image's history");
  line.value("--platform", options.platform, "OS/ARCH[/VARIANT]",
             "What the files are made for (default: this machine)");
  line.argument("FILE", options.input, "The tar, plain, gzip or zstd; - is standard input");
  line.argument("NAME", options.name, "Name for the image", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (options.input == "-") {
    options.input.clear();
  }
  const Outcome<Image> image = import_image(options);
  if (!image) {
    return complain(image.failure());
  }
  std::printf("sha256:%s\n", image.value().id.c_str());
  return 0;
}

}  // namespace sbx::cli
