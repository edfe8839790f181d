#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "image/source_image.hpp"
#include "layer/byte_source.hpp"
#include "layer/compression.hpp"
#include "layer/limits.hpp"
#include "store/pending.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

namespace sbx::image {

/// How far one layer has come; bytes as they are in the source.
struct LoadProgress {
  std::size_t layer = 0;  // from 0
  std::size_t layers = 0;
  std::uint64_t done = 0;  // of this layer
  std::uint64_t total = 0;
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

/// The bytes of a layer as they come, compressed or not.
struct OpenedLayer {
  std::unique_ptr<layer::ByteSource> bytes;
  std::uint64_t size = 0;
  std::string name;  // for errors
};

/// Opens the layers of one image: from a directory, an archive, a registry. Called by several threads.
class LayerOpener {
 public:
  LayerOpener() = default;
  virtual ~LayerOpener() = default;
  LayerOpener(const LayerOpener&) = delete;
  LayerOpener& operator=(const LayerOpener&) = delete;
  LayerOpener(LayerOpener&&) = delete;
  LayerOpener& operator=(LayerOpener&&) = delete;

  virtual Result<OpenedLayer> open(std::size_t layer) = 0;
};

struct InstallRequest {
  const store::Store& store;
  store::Staging& staging;
  const SourceImage& image;
  LayerOpener& layers;
  std::vector<std::string> names;
  layer::TreeLimits tree_limits;
  layer::DecompressLimits layer_limits;
  std::function<void(const LoadProgress&)> progress;  // may be empty; called by several threads
  unsigned jobs = 1;                                  // layers that are taken in at once
  /// Layers are published as they are finished, so that another try need not fetch them, and are locked meanwhile.
  const store::Pending* pending = nullptr;
  /// Set once one layer has failed: what the others still wait for is of no use.
  std::atomic<bool>* stop = nullptr;
};

/// Takes an image in whose documents are checked: the layers, the tree, the documents, and at the end the index. Every digest
/// is compared; until all are right nothing of the image is visible. Layers that are there already are not read.
Result<LoadedImage> install_image(const InstallRequest& request);

}  // namespace sbx::image
