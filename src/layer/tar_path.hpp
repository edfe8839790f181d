#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::layer {

/// A path of a tar as the tree knows it: relative, no empty and no "." components, "" for the root.
/// kCorrupt for "..", NUL and absolute paths ("/" alone is the root), kLimit for what Linux could not hold either (255 bytes per name, 4095 per path) and for more than 1024 directories.
Result<std::string> clean_tar_path(std::string_view raw);

}  // namespace sbx::layer
