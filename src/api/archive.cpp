#include <sbx/archive.hpp>

#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "runtime/archives.hpp"
#include "runtime/settings.hpp"

namespace sbx {
namespace {

std::string to_word(ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::kOciArchive:
      return "oci-archive";
    case ArchiveFormat::kOciDirectory:
      return "oci-dir";
    case ArchiveFormat::kDockerArchive:
      return "docker-archive";
    case ArchiveFormat::kSquashfs:
      return "sqsh";
  }
  return "";
}

std::string to_word(LayerCompression compression) {
  switch (compression) {
    case LayerCompression::kNone:
      return "none";
    case LayerCompression::kGzip:
      return "gzip";
    case LayerCompression::kZstd:
      return "zstd";
  }
  return "";
}

Result<std::vector<Image>> load_all(const LoadArchiveOptions& options) {
  const std::string root = SBX_TRY(runtime::data_root_of(options.root));
  const std::vector<std::string> manifests =
      SBX_TRY(runtime::load_archive({root, options.input, options.platform, options.name}));
  const image::ImageStore store = SBX_TRY(image::ImageStore::open(root));
  std::vector<Image> out;
  for (const std::string& manifest : manifests) {
    out.push_back(api::to_public(SBX_TRY(store.find(manifest))));
    const Image& loaded = out.back();
    api::tell_of_image(root, "load", "sha256:" + loaded.id,
                       loaded.names.empty() ? "" : loaded.names.front());
  }
  return out;
}

Result<std::monostate> save_all(const SaveOptions& options) {
  const runtime::Settings settings = SBX_TRY(runtime::load_settings());
  SBX_TRY(
      runtime::save_archive({SBX_TRY(runtime::data_root_of(options.root)), settings.image_stores,
                             options.images, options.output, to_word(options.format),
                             options.compression ? to_word(*options.compression) : ""}));
  return std::monostate{};
}

Result<std::monostate> export_one(const ExportOptions& options) {
  SBX_TRY(runtime::export_archive({SBX_TRY(runtime::data_root_of(options.root)),
                                   SBX_TRY(runtime::load_settings()).image_stores,
                                   options.container, options.output}));
  return std::monostate{};
}

Result<Image> import_one(const ImportOptions& options) {
  const std::string root = SBX_TRY(runtime::data_root_of(options.root));
  const std::string manifest = SBX_TRY(runtime::import_archive(
      {root, options.input, options.name, options.platform, options.message, options.changes}));
  const image::ImageStore store = SBX_TRY(image::ImageStore::open(root));
  Image made = api::to_public(SBX_TRY(store.find(manifest)));
  api::tell_of_image(root, "import", "sha256:" + made.id,
                     made.names.empty() ? "" : made.names.front());
  return made;
}

}  // namespace

Outcome<std::vector<Image>> load_archive(const LoadArchiveOptions& options) {
  return api::to_outcome(load_all(options));
}

Outcome<std::monostate> save(const SaveOptions& options) {
  return api::to_outcome(save_all(options));
}

Outcome<std::monostate> export_container(const ExportOptions& options) {
  return api::to_outcome(export_one(options));
}

Outcome<Image> import_image(const ImportOptions& options) {
  return api::to_outcome(import_one(options));
}

}  // namespace sbx
