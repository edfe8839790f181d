#pragma once

#include <string>
#include <vector>

#include "image/loader.hpp"

namespace sbx::image {

struct ArchiveRequest {
  std::string root;  // sbx's data directory
  sys::Fd source;    // a file, a pipe, or the directory of an OCI layout
  std::string name;  // for errors, and to complete names that are only tags
  oci::Platform platform = oci::Platform::host();
  std::vector<std::string> tags;  // instead of the names in it; then it must hold one image
  layer::TreeLimits tree_limits;
  layer::DecompressLimits limits;  // of each layer, and of the archive as a whole
  std::function<void(const LoadProgress&)> progress;  // may be empty
};

/// Loads every image of an archive, as `docker load`: an OCI archive or a docker archive, which is found out by
/// looking, plain or compressed as a whole. Images before the first one that fails stay.
Result<std::vector<LoadedImage>> load_archive(ArchiveRequest request);

}  // namespace sbx::image
