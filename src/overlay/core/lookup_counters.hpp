#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/result.hpp"
#include "sys/fuse_device.hpp"

namespace sbx::overlay {

/// How often the kernel was told each number below a limit. A byte each, on pages that exist once touched; the few counts that do
/// not fit are in a map. From any thread, but for release_zeros().
class LookupCounters {
 public:
  /// ENOMEM.
  static FsResult<sys::AnonymousBuffer> make_memory(std::size_t count) noexcept {
    return sys::AnonymousBuffer::make(count);
  }
  explicit LookupCounters(sys::AnonymousBuffer memory) : memory_(std::move(memory)) {}

  // `index` is below the limit.
  void add(std::size_t index, std::uint64_t count) noexcept;
  /// What is left. Nothing, if there was less.
  std::uint64_t drop(std::size_t index, std::uint64_t count) noexcept;
  [[nodiscard]] std::uint64_t get(std::size_t index) noexcept;
  /// Gives pages back that hold nothing but zeros. Nobody may call anything else meanwhile.
  void release_zeros() noexcept;

 private:
  using Byte = std::atomic<std::uint8_t>;
  static constexpr std::uint8_t kInMap = 255;

  [[nodiscard]] Byte& byte(std::size_t index) noexcept;

  sys::AnonymousBuffer memory_;
  std::mutex
      mutex_;  // a byte becomes kInMap, or something else than that, under it; guards `large_`
  std::unordered_map<std::size_t, std::uint64_t> large_;
};

}  // namespace sbx::overlay
