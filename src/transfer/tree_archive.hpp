#pragma once

#include "layer/archive_writer.hpp"
#include "overlay/core/overlay.hpp"

namespace sbx::transfer {

/// Writes everything below the root as `docker export` does: names without a slash in front, each directory before what is in it,
/// sorted; owners as the container sees them; further names of a file as hard links. Sockets are left out, with a warning. Memory
/// grows with the longest directory and the number of hard-linked files. kSystem names the file.
Result<void> write_tree(overlay::Overlay& tree, layer::ArchiveWriter& archive);

}  // namespace sbx::transfer
