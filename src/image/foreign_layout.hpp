#pragma once

#include "oci/index.hpp"
#include "store/store.hpp"

namespace sbx::image {

/// Which image of the layout an entry came from: "oci:DIR:" and this mean it.
inline constexpr std::string_view kLayoutRefAnnotation = "io.sbx.layout-ref";

/// The index of a layout that others made, as ours would be: names completed (one that is only a tag takes the folder's name before
/// it), of an index of several platforms the image of this machine, what is no image left out.
Result<oci::Index> read_foreign_index(const store::Store& store);

}  // namespace sbx::image
