#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbx::image {

/// The texts with `between` between them. (fmt::join of fmt 9 draws false warnings from GCC 12.)
inline std::string join(const std::vector<std::string>& texts, std::string_view between) {
  std::string out;
  for (const std::string& text : texts) {
    out += out.empty() ? "" : between;
    out += text;
  }
  return out;
}

}  // namespace sbx::image
