#include "overlay/core/fd_cache.hpp"

namespace sbx::overlay {

FdRef FdCache::find(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found == slots_.end()) {
    return nullptr;
  }
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->fd;
}

FdRef FdCache::put(std::uint64_t key, sys::Fd fd) {
  FdRef made = std::make_shared<const sys::Fd>(std::move(fd));
  FdRef old;  // declared before the lock: closed after it is dropped
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found != slots_.end()) {
    // Two requests opened the same file at once: the first one's descriptor stays.
    return found->second->fd;
  }
  if (slots_.size() >= capacity_ && !recent_.empty()) {
    old = std::move(recent_.back().fd);
    slots_.erase(recent_.back().key);
    recent_.pop_back();
  }
  recent_.push_front({key, made});
  slots_.emplace(key, recent_.begin());
  return made;
}

FdRef FdCache::take(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found == slots_.end()) {
    return nullptr;
  }
  FdRef fd = std::move(found->second->fd);
  recent_.erase(found->second);
  slots_.erase(found);
  return fd;
}

std::size_t FdCache::size() {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace sbx::overlay
