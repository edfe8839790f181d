#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "layer/byte_source.hpp"
#include "layer/compression.hpp"
#include "layer/layer_index.hpp"
#include "oci/digest.hpp"

namespace sbx::layer {

/// Bytes of a layer that went by so far, as they came and as they were written.
struct IngestProgress {
  std::uint64_t compressed = 0;
  std::uint64_t uncompressed = 0;
};

struct IngestRequest {
  ByteSource* source = nullptr;  // the layer as it came; not owned
  std::string name;              // for errors
  std::uint64_t compressed_size = 0;
  int output = -1;  // an empty file for the uncompressed tar; not owned
  DecompressLimits limits;
  std::function<void(const IngestProgress&)>
      progress;  // may be empty; called now and then by one thread
};

struct IngestedLayer {
  oci::Digest compressed;  // of all bytes of the source
  oci::DiffId diff_id;
  std::uint64_t tar_size = 0;
};

/// Takes one layer in a single pass over its bytes, in bounded memory: this thread reads, hashes and decompresses,
/// a second one hashes the tar, a third one writes and indexes it. Nothing here trusts the bytes; the
/// caller compares the digests, and throws output and index away if they differ or if this fails.
/// A failure of the content is reported as a wrong digest, with `expected`, if that is what it is.
Result<IngestedLayer> ingest_layer(const IngestRequest& request, const oci::Digest* expected,
                                   LayerIndex& index);

/// The index of a layer that is in the store already: reads headers only, passing over file data.
Result<void> index_stored_layer(int fd, std::uint64_t size, std::string_view name,
                                LayerIndex& index);

/// kCorrupt: `what` should have the digest `expected` and has `got`.
Error wrong_digest(std::string_view what, std::string_view expected, std::string_view got);

}  // namespace sbx::layer
