#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/image_store.hpp"

namespace sbx::image {

/// What one image takes on disk: its layers and its tree.
struct ImageUse {
  StoredImage image;
  std::uint64_t shared = 0;  // that other images need too
  std::uint64_t unique = 0;  // that would be free without it
};

struct StoreUse {
  std::vector<ImageUse> images;
  std::uint64_t bytes = 0;  // everything in the store
  std::uint64_t garbage =
      0;  // of it, what no image needs: kept for unfinished pulls, or left by killed processes
};

/// Of $ROOT/store; sizes of files. What is used now may be different a moment later.
Result<StoreUse> measure_store(const std::string& root);

}  // namespace sbx::image
