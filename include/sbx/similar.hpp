#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbx {

/// The word of `known` that `typed` is most likely a slip of; empty if none is near. For messages: "did you mean ...?".
std::string similar_word(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace sbx
