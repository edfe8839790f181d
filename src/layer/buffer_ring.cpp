#include "layer/buffer_ring.hpp"

#include <algorithm>

namespace sbx::layer {

BufferRing::BufferRing(std::size_t slots, std::size_t slot_bytes, std::size_t consumers)
    : slot_bytes_(slot_bytes), memory_(slots * slot_bytes), sizes_(slots), consumed_(consumers) {}

std::span<std::byte> BufferRing::acquire() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return cancelled_ ||
           produced_ - *std::min_element(consumed_.begin(), consumed_.end()) < sizes_.size();
  });
  if (cancelled_) {
    return {};
  }
  return std::span(memory_).subspan(produced_ % sizes_.size() * slot_bytes_, slot_bytes_);
}

void BufferRing::publish(std::size_t used) {
  {
    const std::lock_guard lock(mutex_);
    sizes_[produced_ % sizes_.size()] = used;
    ++produced_;
  }
  changed_.notify_all();
}

void BufferRing::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
}

std::optional<std::span<const std::byte>> BufferRing::next(std::size_t consumer) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return cancelled_ || finished_ || consumed_[consumer] < produced_; });
  if (cancelled_ || consumed_[consumer] == produced_) {
    return std::nullopt;
  }
  const std::size_t slot = consumed_[consumer] % sizes_.size();
  return std::span<const std::byte>(memory_).subspan(slot * slot_bytes_, sizes_[slot]);
}

void BufferRing::release(std::size_t consumer) {
  {
    const std::lock_guard lock(mutex_);
    ++consumed_[consumer];
  }
  changed_.notify_all();
}

void BufferRing::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  changed_.notify_all();
}

bool BufferRing::cancelled() {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

}  // namespace sbx::layer
