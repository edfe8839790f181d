#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/installer.hpp"
#include "image/source_name.hpp"
#include "layer/compression.hpp"
#include "layer/limits.hpp"
#include "oci/digest.hpp"
#include "oci/platform.hpp"
#include "store/store.hpp"
#include "sys/fd.hpp"

namespace sbx::image {

struct LoadRequest {
  std::string root;  // sbx's data directory
  SourceName source;
  sys::Fd source_file;  // open_source(): opened before the process confined itself
  oci::Platform platform = oci::Platform::host();
  std::vector<std::string> tags;  // instead of the names that the source gives
  layer::TreeLimits tree_limits;
  layer::DecompressLimits layer_limits;
  std::function<void(const LoadProgress&)> progress;  // may be empty; called by other threads
};

class SourceFiles;

/// The directory or file to read from.
Result<sys::Fd> open_source(const SourceName& source);

/// Loads one image into the store: every digest is checked, and until all are right nothing of the image is
/// visible; after a failure the store is as it was. Layers that are there already are not read. Starts
/// threads, so it must not run where processes are cloned.
Result<LoadedImage> load_image(LoadRequest request);

/// Names that an image can be given, completed. kInvalidArgument.
Result<std::vector<std::string>> full_names(const std::vector<std::string>& names);

/// As load_image(), from files that are open: request.source says which image, request.source_file is not used.
Result<LoadedImage> load_from(const LoadRequest& request, const store::Store& store,
                              SourceFiles& files);

}  // namespace sbx::image
