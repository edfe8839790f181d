#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "image/image_store.hpp"
#include "layer/compression.hpp"

namespace sbx::image {

enum class SaveFormat {
  kOciArchive,     // an OCI image layout in a tar
  kOciDirectory,   // an OCI image layout
  kDockerArchive,  // manifest.json, as `docker save` and podman write it
  kSquashfs        // the merged tree of one image
};

struct SaveRequest {
  std::string root;                     // sbx's data directory
  std::vector<std::string> additional;  // ImageStore::open()
  std::vector<std::string> images;
  SaveFormat format = SaveFormat::kOciArchive;
  layer::Compression compression = layer::Compression::kNone;  // of each layer, or of the data
  int output = -1;  // open for writing; a directory: open and empty. Not owned
  std::string output_name;
};

/// Writes images of the store to one archive or layout. Configurations and, without compression, manifests are the stored bytes;
/// every layer is compared with its diff id on its way, so that a damaged store makes no archive. Layers that images share are
/// written once. The same images make the same bytes. On failure what was written so far is of no use. kNotFound, kCorrupt,
/// kInvalidArgument (a docker archive with compressed layers).
Result<void> save_images(const SaveRequest& request);

}  // namespace sbx::image
