#include "layer/text_pool.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace sbx::layer {

std::uint32_t TextPool::add(std::string_view text) {
  SBX_ASSERT(text.size() <= kMaxText);
  // Less or equal: an empty text needs a place inside of a piece too.
  if (kChunk - used_ <= text.size()) {
    SBX_ASSERT(chunks_.size() < kChunk);  // else 32 bits would not do
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunk));
    used_ = 0;
  }
  std::copy(text.begin(), text.end(), chunks_.back().get() + used_);
  const auto at = static_cast<std::uint32_t>((chunks_.size() - 1) << kShift | used_);
  used_ += text.size();
  return at;
}

}  // namespace sbx::layer
