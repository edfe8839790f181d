#include <cstdio>

#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/registry_options.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// For scripts: what was pushed, as podman's --digestfile.
int write_digest(const std::string& path, const std::string& digest) {
  if (path.empty()) {
    return 0;
  }
  std::FILE* const file = std::fopen(path.c_str(), "we");
  const bool written = file != nullptr && std::fputs(digest.c_str(), file) >= 0;
  const bool closed = file == nullptr || std::fclose(file) == 0;
  return written && closed
             ? 0
             : refuse("cannot write the digest to '" + path + "'; the image was pushed");
}

void tell(const Pushed& pushed) {
  (void)std::fprintf(stderr, "Pushed: %s (%zu layers sent, %s; %zu were there, %zu mounted)\n",
                     pushed.reference.c_str(), pushed.layers_sent,
                     human_size(pushed.bytes_sent).c_str(), pushed.layers_there,
                     pushed.layers_mounted);
  if (!pushed.came_as.empty()) {
    (void)std::fprintf(
        stderr,
        "The manifest is a new one: the image came as %s, with layers compressed in a "
        "way that the registry does not have and sbx cannot make again.\n",
        pushed.came_as.c_str());
  }
}

}  // namespace

int cmd_push(const GlobalOptions& global, const Words& words) {
  PushOptions options;
  options.root = global.root;
  bool quiet = false;
  std::string digest_file;
  ProgressMode mode = ProgressMode::kAuto;
  CommandLine line("push", "Write an image of the store to a registry.");
  line.choice(
      "--compression-format", {"gzip", "zstd", "none"},
      [&](std::size_t index) {
        constexpr const char* kNames[] = {"gzip", "zstd", "none"};
        options.compression = kNames[index];
      },
      "Of layers: gzip, zstd, none (default: as they came, else gzip)");
  line.choice(
      "-f,--format", {"oci", "v2s2"},
      [&](std::size_t index) { options.format = index == 0 ? "oci" : "docker"; },
      "Of the manifest: oci, or v2s2 for docker's (default: as it came, else oci)");
  line.value("--digestfile", digest_file, "FILE", "Write the digest of the manifest to FILE");
  add_registry_options(line, options.registry);
  add_progress_option(line, mode);
  line.flag("-q,--quiet", quiet, "Print the digest only");
  line.argument("IMAGE", options.image, "Name, id or digest");
  line.argument("DESTINATION", options.destination,
                "[REGISTRY/]NAME[:TAG] (default: the image's name)", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<Pushed> pushed = [&] {
    ProgressView view(quiet ? ProgressMode::kQuiet : mode);
    options.progress = [&](const TransferProgress& progress) { view.update(progress); };
    return push(options);
  }();
  if (!pushed) {
    return complain(pushed.failure());
  }
  if (!quiet) {
    tell(pushed.value());
  }
  std::printf("%s\n", pushed.value().digest.c_str());
  return write_digest(digest_file, pushed.value().digest);
}

}  // namespace sbx::cli
