#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "store/store.hpp"

namespace sbx::store {

// Images of other layouts, which are not ours to write to, may have no tree: then it is made here. adopted/<manifest> holds
// the chain id of such an image, so that the run path, which does not hash, finds the tree, and the collector keeps it.

/// Notes, durably, that tree/<chain>.tree is the tree of the image with this manifest.
Result<void> note_adopted(const Store& store, const oci::Digest& manifest,
                          const oci::ChainId& chain);

/// nullopt if there is no such note, or one that cannot be read.
std::optional<oci::ChainId> find_adopted(const Store& store, const oci::Digest& manifest);

/// The names of the trees that the notes name.
Result<std::set<std::string>> adopted_trees(const Store& store);

}  // namespace sbx::store
