#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sbx/image.hpp>
#include <sbx/outcome.hpp>

namespace sbx {

struct LoadArchiveOptions {
  std::string root;
  std::string input;     // a file, or the directory of an OCI layout; empty: standard input
  std::string name;      // to be given to the only image in it; empty: those that the archive has
  std::string platform;  // OS/ARCH[/VARIANT]; empty: this machine's
};
/// Takes all images of an OCI archive or a docker archive into the store; plain, gzip or zstd is found out by looking. Images before
/// the first one that fails stay.
Outcome<std::vector<Image>> load_archive(const LoadArchiveOptions& options);

enum class ArchiveFormat {
  kOciArchive,     // an OCI image layout in a tar
  kOciDirectory,   // an OCI image layout
  kDockerArchive,  // what `docker save` writes
  kSquashfs        // one image's tree, as `enroot import` writes it
};
enum class LayerCompression { kNone, kGzip, kZstd };

struct SaveOptions {
  std::string root;
  std::vector<std::string> images;
  std::string output;  // a file, or a directory that is empty or not there; empty: standard output
  ArchiveFormat format = ArchiveFormat::kOciArchive;
  std::optional<LayerCompression> compression;  // none if not given; of a squashfs zstd
};
/// Writes images of the store. A file appears when it is complete, or never; nothing is written to a terminal.
Outcome<std::monostate> save(const SaveOptions& options);

struct ExportOptions {
  std::string root;
  std::string container;  // name, id or its beginning
  std::string output;     // a file; empty: standard output
};
/// Writes the files of a container that does not run, image and changes together, as a tar. As save(), a file appears when it is
/// complete.
Outcome<std::monostate> export_container(const ExportOptions& options);

struct ImportOptions {
  std::string root;
  std::string input;                 // a tar of a root file system; empty: standard input
  std::string name;                  // empty: none
  std::vector<std::string> changes;  // "CMD …", "ENV …" and so on
  std::string message;               // the history's comment
  std::string platform;              // OS/ARCH[/VARIANT]; empty: this machine's
};
/// Makes an image of one layer.
Outcome<Image> import_image(const ImportOptions& options);

}  // namespace sbx
