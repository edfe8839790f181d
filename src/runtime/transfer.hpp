#pragma once

#include <string>

#include "base/result.hpp"

namespace sbx::runtime {

struct TransferLoad {
  std::string data_root;
  std::string source;    // oci:..., oci-archive:..., docker-archive:...
  std::string platform;  // empty: this machine's
  std::string tag;       // empty: the names that the source has
};

/// True for what names an image outside of the store.
[[nodiscard]] bool is_image_source(const std::string& text);

/// Runs `sbx-transfer load`, a program of its own because it reads hostile bytes and links what the run path
/// does not need. The manifest digest of the image in the store, by which ImageStore finds it.
Result<std::string> load_image(const TransferLoad& load);

}  // namespace sbx::runtime
