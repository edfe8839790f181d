#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "layer/layer_index.hpp"
#include "layer/squash_meta.hpp"

namespace sbx::layer {

/// What scan_squash() found besides the tree.
struct SquashInfo {
  ImageTree::Squash squash;
  std::uint32_t entries = 0;
};

/// All files and directories of a squashfs, root first, each directory before what is in it, as one layer; the data stay where
/// they are (ImageTree::Block). For MergedTree::write() with `squash`. Whatever the file says is checked before memory is taken for
/// it: names, loops of directories, blocks outside of the file, and the limits of the index's budget. kCorrupt, kLimit, kUnsupported.
Result<SquashInfo> scan_squash(const SquashSource& source, TreeBudget& budget, LayerIndex& index);

}  // namespace sbx::layer
