#pragma once

#include <string_view>

#include "base/result.hpp"

namespace sbx::layer {

/// What a path in a layer means; image-spec layer.md "Representing Changes".
enum class WhiteoutKind {
  kNone,    // an ordinary entry
  kName,    // ".wh.NAME": NAME of the lower layers is gone
  kOpaque,  // ".wh..wh..opq": everything of the lower layers in this directory is gone
  kIgnored  // ".wh..wh.*": bookkeeping of aufs, no part of the image
};

struct Whiteout {
  WhiteoutKind kind = WhiteoutKind::kNone;
  std::string_view directory;  // "" is the root
  std::string_view name;       // kName: what is gone
};

/// Looks at a checked path. kCorrupt for a whiteout of nothing in particular (".wh.", ".wh..", ".wh...")
/// and for a path that leads through a whiteout. The views point into `path`.
Result<Whiteout> parse_whiteout(std::string_view path);

}  // namespace sbx::layer
