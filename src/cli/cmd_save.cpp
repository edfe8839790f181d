#include <array>

#include <sbx/archive.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_save(const GlobalOptions& global, const Words& words) {
  constexpr std::array kFormats{ArchiveFormat::kOciArchive, ArchiveFormat::kOciDirectory,
                                ArchiveFormat::kDockerArchive, ArchiveFormat::kSquashfs};
  constexpr std::array kCompressions{LayerCompression::kNone, LayerCompression::kGzip,
                                     LayerCompression::kZstd};
  SaveOptions options;
  options.root = global.root;
  CommandLine line("save", "Write images to an archive or a directory, for other tools or 'load'.");
  line.value("-o,--output", options.output, "FILE", "Where to write (default: standard output)");
  line.choice(
      "--format", {"oci-archive", "oci-dir", "docker-archive", "sqsh"},
      [&](std::size_t index) { options.format = kFormats.at(index); }, "What to write");
  line.choice(
      "--compress", {"none", "gzip", "zstd"},
      [&](std::size_t index) { options.compression = kCompressions.at(index); },
      "How to compress the layers");
  line.arguments("IMAGE", options.images, "Name, id or digest");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (options.output == "-") {
    options.output.clear();
  }
  const auto saved = save(options);
  return saved ? 0 : complain(saved.failure());
}

}  // namespace sbx::cli
