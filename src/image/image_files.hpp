#pragma once

#include "image/image_store.hpp"
#include "store/store.hpp"

namespace sbx::image {

/// Opens and maps a tree of the store.
Result<layer::ImageTree> map_tree(const store::Store& store, const oci::ChainId& chain);

/// The tree `chain` of `trees` and the layers of `image`, which lie in `store`; the two stores are one but for images of additional
/// stores. kNotFound, kCorrupt if tree and layers do not belong together.
Result<ImageFiles> open_in(const store::Store& trees, const oci::ChainId& chain,
                           const store::Store& store, const StoredImage& image);

}  // namespace sbx::image
