#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/source_name.hpp"
#include "layer/compression.hpp"
#include "layer/limits.hpp"
#include "oci/digest.hpp"
#include "oci/platform.hpp"
#include "sys/fd.hpp"

namespace sbx::image {

/// How far a load has come; bytes as they are in the source.
struct LoadProgress {
  std::size_t layer = 0;  // from 0
  std::size_t layers = 0;
  std::uint64_t done = 0;  // of this layer
  std::uint64_t total = 0;
};

struct LoadRequest {
  std::string root;  // sbx's data directory
  SourceName source;
  sys::Fd source_file;  // open_source(): opened before the process confined itself
  oci::Platform platform = oci::Platform::host();
  std::vector<std::string> tags;  // instead of the names that the source gives
  layer::TreeLimits tree_limits;
  layer::DecompressLimits layer_limits;
  std::function<void(const LoadProgress&)> progress;  // may be empty
};

struct LoadedImage {
  oci::Digest manifest;
  std::optional<oci::Digest> source;
  oci::Digest config;
  oci::ChainId chain;
  std::vector<std::string> names;  // those it was given now
  std::uint64_t size = 0;          // of the layers, uncompressed
  bool already = false;            // everything but names was there
};

/// The directory or file to read from.
Result<sys::Fd> open_source(const SourceName& source);

/// Loads one image into the store: every digest is checked, and until all are right nothing of the image is
/// visible; after a failure the store is as it was. Layers that are there already are not read. Starts
/// threads, so it must not run where processes are cloned.
Result<LoadedImage> load_image(LoadRequest request);

}  // namespace sbx::image
