#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "layer/image_tree.hpp"

namespace sbx::layer {

/// The most extents one file may have; a map of GNU tar's for a database file has some ten thousand.
inline constexpr std::size_t kMaxSparseExtents = 1U << 20U;

/// Offsets and lengths by turns into extents whose data lies at `data_offset` one after the other.
/// kCorrupt unless they are in order, inside of `real_size` and add up to `stored_size`.
Result<std::vector<ImageTree::Extent>> make_extents(std::span<const std::int64_t> numbers,
                                                    std::uint64_t real_size,
                                                    std::uint64_t stored_size,
                                                    std::uint64_t data_offset);

/// Collects the map that GNU sparse format 1.0 puts in front of the data: decimal lines, the first of
/// which is the number of extents, padded to a block.
class SparseMapReader {
 public:
  /// The next block of the file's data. kCorrupt, kLimit.
  Result<void> add_block(std::string_view block);
  [[nodiscard]] bool complete() const { return count_known_ && numbers_.size() == 2 * count_; }
  [[nodiscard]] std::span<const std::int64_t> numbers() const { return numbers_; }

 private:
  Result<void> add_line(std::string_view line);

  std::string partial_;
  std::vector<std::int64_t> numbers_;
  std::size_t count_ = 0;
  bool count_known_ = false;
};

}  // namespace sbx::layer
