#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/descriptor.hpp"
#include "oci/platform.hpp"

namespace sbx::image {

/// Reads a nested index; its size and digest have been compared with the descriptor.
using IndexReader = std::function<Result<std::string>(const oci::Descriptor&)>;

/// The image manifest among `entries`, indexes of indexes included, that suits `wanted` best. Bounded in depth, documents and
/// entries. kUnsupported, listing what there is, if none suits, and for docker's schema 1; kLimit; kCorrupt.
Result<oci::Descriptor> choose_manifest(const std::vector<oci::Descriptor>& entries,
                                        const oci::Platform& wanted, const IndexReader& read);

}  // namespace sbx::image
