#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace sbx::sys {

/// A file mapped for reading (mmap(2), MAP_SHARED, so that all processes share the pages); unmapped at the
/// end of its life. Only for files that nobody shortens: touching a page past the end is SIGBUS.
class Mapping {
 public:
  Mapping() = default;
  ~Mapping();
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// The first `size` bytes of the file; the descriptor may be closed afterwards. `name` is for errors.
  static Result<Mapping> map_readonly(int fd, std::size_t size, std::string_view name);

  /// Lets go of the pages that were touched: they stay in the page cache, but count for this process only when they are touched again.
  void release() const noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(data_), size_};
  }

 private:
  Mapping(void* data, std::size_t size) : data_(data), size_(size) {}
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sbx::sys
