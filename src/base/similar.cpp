#include "base/similar.hpp"

#include <algorithm>
#include <numeric>

namespace sbx {
namespace {

/// Levenshtein's distance: insertions, deletions, replacements.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string_view most_similar(std::string_view typed, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = 3;  // more slips than two is another word
  for (const std::string_view word : known) {
    const std::size_t slips = distance(typed, word);
    if (slips < least && slips < word.size()) {
      least = slips;
      best = word;
    }
  }
  return best;
}

}  // namespace sbx
