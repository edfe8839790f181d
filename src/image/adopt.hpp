#pragma once

#include <string>

#include "layer/limits.hpp"
#include "oci/digest.hpp"
#include "store/store.hpp"

namespace sbx::image {

/// Makes the tree of an image of another layout in our store, and notes it there (store/adopted.hpp). Manifest and configuration
/// are compared with their digests; of the layers, which must lie there uncompressed, the headers are read. Nothing is written
/// to `other`.
Result<oci::ChainId> adopt_image(const store::Store& own, const store::Store& other,
                                 const oci::Digest& manifest, const layer::TreeLimits& limits = {});

}  // namespace sbx::image
