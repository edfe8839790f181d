#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace sbx::layer {

/// Texts in pieces of 64 KiB that are never moved, each text whole inside of one: names, and targets of symlinks.
class TextPool {
 public:
  static constexpr std::size_t kMaxText = 4095;  // kMaxPath; at most a sixteenth is lost

  /// Where it is now. At most kMaxText bytes, at most 3.7 GiB of all.
  std::uint32_t add(std::string_view text);
  /// `at` and `size` as they were given to and by add(); good as long as the pool.
  [[nodiscard]] std::string_view get(std::uint32_t at, std::size_t size) const {
    return {chunks_[at >> kShift].get() + (at & (kChunk - 1)), size};
  }

 private:
  static constexpr unsigned kShift = 16;
  static constexpr std::size_t kChunk = std::size_t{1} << kShift;

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_ = kChunk;  // of the last one
};

}  // namespace sbx::layer
