#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace sbx::layer {

/// A ring of buffers between one producer and several consumers, each of which sees all bytes in order. The
/// producer waits for the slowest consumer, so memory is bounded. Every thread may cancel().
class BufferRing {
 public:
  BufferRing(std::size_t slots, std::size_t slot_bytes, std::size_t consumers);

  /// The next buffer to fill; empty if cancelled.
  [[nodiscard]] std::span<std::byte> acquire();
  /// What acquire() gave holds `used` bytes.
  void publish(std::size_t used);
  /// No more buffers follow.
  void finish();

  /// The next buffer for this consumer; nullopt at the end or if cancelled.
  [[nodiscard]] std::optional<std::span<const std::byte>> next(std::size_t consumer);
  /// Done with what next() gave.
  void release(std::size_t consumer);

  void cancel();
  [[nodiscard]] bool cancelled();

 private:
  std::size_t slot_bytes_;
  std::vector<std::byte> memory_;

  std::mutex mutex_;  // guards all below; nothing else is locked while it is held
  std::condition_variable changed_;
  std::vector<std::size_t> sizes_;       // per slot
  std::vector<std::uint64_t> consumed_;  // per consumer: buffers done
  std::uint64_t produced_ = 0;
  bool finished_ = false;
  bool cancelled_ = false;
};

}  // namespace sbx::layer
