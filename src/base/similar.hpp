#pragma once

#include <string_view>
#include <vector>

namespace sbx {

/// The word of `known` that `typed` is most likely a slip of; empty if none is near.
std::string_view most_similar(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace sbx
