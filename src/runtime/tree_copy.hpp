#pragma once

#include "base/result.hpp"
#include "overlay/core/lower.hpp"

namespace sbx::runtime {

/// Who gets what is copied.
enum class CopiedOwners {
  kKept,  // as in the tree; the caller must be root where these ids are there
  kOurs   // the caller
};

/// Copies what is in the directory `from` of `tree` to the empty directory `to`, which nobody else changes meanwhile: files (holes stay
/// holes), directories, symbolic and hard links, fifos and sockets, with modes, times and extended attributes; and these of `from` itself
/// to `to`. Devices are left out with a warning, as no ordinary user may make any, and attributes that `to`'s file system or the
/// kernel does not take from us. Nothing is followed.
Result<void> copy_tree(overlay::Lower& tree, overlay::LowerRef from, int to, CopiedOwners owners);

/// The directory that `path` leads to, links resolved as if the tree's root were "/". ENOENT, ENOTDIR, ELOOP.
FsResult<overlay::LowerPin> find_directory(overlay::Lower& tree, std::string_view path);

}  // namespace sbx::runtime
