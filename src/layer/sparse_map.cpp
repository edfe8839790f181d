#include "layer/sparse_map.hpp"

#include <charconv>

namespace sbx::layer {
namespace {

constexpr std::size_t kMaxDigits = 20;

Error bad_map(std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "read the map of a sparse file", "", std::move(reason));
}

}  // namespace

Result<std::vector<ImageTree::Extent>> make_extents(std::span<const std::int64_t> numbers,
                                                    std::uint64_t real_size,
                                                    std::uint64_t stored_size,
                                                    std::uint64_t data_offset) {
  if (numbers.size() % 2 != 0) {
    return fail(bad_map("an offset without a length"));
  }
  if (numbers.size() / 2 > kMaxSparseExtents) {
    return fail(
        Error::make(ErrorCode::kLimit, "read the map of a sparse file", "", "too many extents"));
  }
  std::vector<ImageTree::Extent> extents;
  std::uint64_t end = 0;
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const auto offset = static_cast<std::uint64_t>(numbers[i]);
    const auto length = static_cast<std::uint64_t>(numbers[i + 1]);
    if (numbers[i] < 0 || numbers[i + 1] < 0 || offset < end || offset > real_size ||
        length > real_size - offset || length > stored_size - used) {
      return fail(bad_map("an extent is out of order or outside of the file"));
    }
    if (length != 0) {  // writers end the map with an empty extent
      extents.push_back({offset, length, data_offset + used});
    }
    end = offset + length;
    used += length;
  }
  if (used != stored_size) {
    return fail(bad_map("the extents do not add up to the stored size"));
  }
  return extents;
}

Result<void> SparseMapReader::add_block(std::string_view block) {
  while (!block.empty() && !complete()) {
    const std::size_t newline = block.find('\n');
    partial_ += block.substr(0, newline);
    if (partial_.size() > kMaxDigits) {
      return fail(bad_map("a line that is not a number"));
    }
    if (newline == std::string_view::npos) {
      return {};
    }
    SBX_TRY(add_line(partial_));
    partial_.clear();
    block.remove_prefix(newline + 1);
  }
  return {};
}

Result<void> SparseMapReader::add_line(std::string_view line) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || end != line.data() + line.size() || number < 0) {
    return fail(bad_map("a line that is not a number"));
  }
  if (count_known_) {
    numbers_.push_back(number);
    return {};
  }
  if (static_cast<std::uint64_t>(number) > kMaxSparseExtents) {
    return fail(
        Error::make(ErrorCode::kLimit, "read the map of a sparse file", "", "too many extents"));
  }
  count_ = static_cast<std::size_t>(number);
  count_known_ = true;
  return {};
}

}  // namespace sbx::layer
