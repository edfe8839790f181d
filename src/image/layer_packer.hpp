#pragma once

#include <cstdint>

#include "layer/compression.hpp"
#include "layer/compressor.hpp"
#include "oci/descriptor.hpp"
#include "oci/digest.hpp"

namespace sbx::image {

/// A layer as it lies in the store.
struct StoredLayer {
  int tar = -1;
  std::uint64_t size = 0;
  oci::DiffId diff_id;
};

/// Passes its bytes on, and compares them with the diff id: kCorrupt at the end.
Result<void> read_layer(const StoredLayer& stored, const layer::ByteSink& take);

/// Its compressed form into `output`, an empty file open for writing; the descriptor has OCI's media type. Errors as read_layer's.
Result<oci::Descriptor> pack_layer(const StoredLayer& stored, layer::Compression compression,
                                   int output);

}  // namespace sbx::image
