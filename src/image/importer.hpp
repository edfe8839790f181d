#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/loader.hpp"

namespace sbx::image {

struct ImportRequest {
  std::string root;  // sbx's data directory
  sys::Fd source;    // a tar of a root file system: a file or a pipe; plain, gzip or zstd
  std::string source_name;
  std::vector<std::string> tags;
  std::vector<std::string> changes;  // apply_change()
  std::string message;               // the history's comment
  oci::Platform platform = oci::Platform::host();
  std::int64_t created = 0;  // seconds since 1970
  layer::TreeLimits tree_limits;
  layer::DecompressLimits layer_limits;
  std::function<void(const LoadProgress&)> progress;  // may be empty
};

/// Makes an image of one layer. The tar is the layer as it is, uncompressed; what no layer may hold is refused. After a failure
/// the store is as it was.
Result<LoadedImage> import_image(ImportRequest request);

}  // namespace sbx::image
