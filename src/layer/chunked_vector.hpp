#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace sbx::layer {

/// A vector that grows by pieces of at most 64 KiB: what it holds is never moved, and nothing is there twice, as it is while a
/// std::vector grows. (A std::deque has pieces of 512 bytes.) Nothing can be taken out.
template <class T>
class ChunkedVector {
 public:
  static constexpr std::size_t kPerChunk = std::bit_floor((std::size_t{64} << 10U) / sizeof(T));
  static_assert(std::is_trivially_copyable_v<T> && kPerChunk > 1);

  void push_back(const T& value) {
    if (size_ % kPerChunk == 0) {
      chunks_.push_back(std::make_unique_for_overwrite<T[]>(kPerChunk));
    }
    chunks_.back()[size_ % kPerChunk] = value;
    ++size_;
  }

  /// `index` must be less than size().
  [[nodiscard]] T& operator[](std::size_t index) {
    return chunks_[index / kPerChunk][index % kPerChunk];
  }
  [[nodiscard]] const T& operator[](std::size_t index) const {
    return chunks_[index / kPerChunk][index % kPerChunk];
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace sbx::layer
