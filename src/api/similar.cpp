#include "base/similar.hpp"

#include <sbx/similar.hpp>

namespace sbx {

std::string similar_word(std::string_view typed, const std::vector<std::string_view>& known) {
  return std::string(most_similar(typed, known));
}

}  // namespace sbx
