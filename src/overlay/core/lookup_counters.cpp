#include "overlay/core/lookup_counters.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sbx::overlay {

LookupCounters::Byte& LookupCounters::byte(std::size_t index) noexcept {
  // Zeros are what a std::atomic of 0 looks like: its representation is the integer's.
  static_assert(sizeof(Byte) == 1 && Byte::is_always_lock_free);
  return *reinterpret_cast<Byte*>(memory_.bytes().data() + index);
}

void LookupCounters::add(std::size_t index, std::uint64_t count) noexcept {
  Byte& at = byte(index);
  std::uint8_t seen = at.load(std::memory_order_relaxed);
  while (seen != kInMap && count < std::uint64_t{kInMap} - seen) {
    if (at.compare_exchange_weak(seen, static_cast<std::uint8_t>(seen + count),
                                 std::memory_order_relaxed)) {
      return;
    }
  }
  const std::lock_guard lock(mutex_);
  // Nobody comes to kInMap or leaves it now but us; until it is there, others may count on.
  seen = at.load(std::memory_order_relaxed);
  while (seen != kInMap && !at.compare_exchange_weak(seen, kInMap, std::memory_order_relaxed)) {
  }
  std::uint64_t& large = large_[index];
  large += count + (seen == kInMap ? 0 : seen);
}

std::uint64_t LookupCounters::drop(std::size_t index, std::uint64_t count) noexcept {
  Byte& at = byte(index);
  std::uint8_t seen = at.load(std::memory_order_relaxed);
  while (seen != kInMap) {
    const auto left = static_cast<std::uint8_t>(seen - std::min<std::uint64_t>(seen, count));
    if (at.compare_exchange_weak(seen, left, std::memory_order_relaxed)) {
      return left;
    }
  }
  const std::lock_guard lock(mutex_);
  const auto large = large_.find(index);
  if (large == large_.end()) {  // it fits again since we looked
    seen = at.load(std::memory_order_relaxed);
    std::uint8_t left = 0;
    do {
      left = static_cast<std::uint8_t>(seen - std::min<std::uint64_t>(seen, count));
    } while (!at.compare_exchange_weak(seen, left, std::memory_order_relaxed));
    return left;
  }
  large->second -= std::min(large->second, count);
  const std::uint64_t left = large->second;
  // Not as soon as it fits, so that it does not go to and fro.
  if (left < kInMap / 2) {
    large_.erase(large);
    at.store(static_cast<std::uint8_t>(left), std::memory_order_relaxed);
  }
  return left;
}

std::uint64_t LookupCounters::get(std::size_t index) noexcept {
  const std::uint8_t seen = byte(index).load(std::memory_order_relaxed);
  if (seen != kInMap) {
    return seen;
  }
  const std::lock_guard lock(mutex_);
  const auto large = large_.find(index);
  return large == large_.end() ? byte(index).load(std::memory_order_relaxed) : large->second;
}

void LookupCounters::release_zeros() noexcept {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::array<unsigned char, 1024> resident;  // NOLINT: filled below
  std::span<std::byte> left = memory_.bytes();
  while (!left.empty()) {
    const auto part = left.first(std::min(left.size(), resident.size() * page));
    left = left.subspan(part.size());
    if (::mincore(part.data(), part.size(), resident.data()) != 0) {
      return;
    }
    for (std::size_t at = 0; at < part.size(); at += page) {
      const auto bytes = part.subspan(at, std::min(page, part.size() - at));
      // All are like the first one, and that is 0. What is not there is not looked at, as that would make it.
      if ((resident[at / page] & 1U) != 0 && bytes[0] == std::byte{0} &&
          std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0) {
        (void)::madvise(bytes.data(), bytes.size(), MADV_DONTNEED);
      }
    }
  }
}

}  // namespace sbx::overlay
