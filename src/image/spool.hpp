#pragma once

#include <string>

#include "base/result.hpp"
#include "layer/compression.hpp"
#include "store/staging.hpp"
#include "sys/fd.hpp"

namespace sbx::image {

/// A file of the same bytes that can be read anywhere: `source` itself if it is a regular file, else a copy without a
/// name in the store's staging. The size of a copy is bounded by the disk.
Result<sys::Fd> seekable(sys::Fd source, store::Staging& staging, const std::string& name);

/// A file of the bytes of `archive` uncompressed: `archive` itself if it is not compressed as a whole, else a copy as above.
/// kLimit, kCorrupt.
Result<sys::Fd> uncompressed(sys::Fd archive, store::Staging& staging,
                             const layer::DecompressLimits& limits, const std::string& name);

}  // namespace sbx::image
