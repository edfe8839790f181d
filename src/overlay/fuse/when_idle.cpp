#include "overlay/fuse/when_idle.hpp"

#include "overlay/fuse/small_thread.hpp"

namespace sbx::overlay {

WhenIdle::~WhenIdle() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (started_) {
    (void)::pthread_join(thread_, nullptr);
  }
}

void WhenIdle::start() noexcept {
  if (started_) {
    return;
  }
  const auto body = [](void* self) -> void* {
    static_cast<WhenIdle*>(self)->run();
    return nullptr;
  };
  started_ = start_small_thread(thread_, body, this);
}

void WhenIdle::wake() noexcept {
  if (state_.exchange(kBusy, std::memory_order_acq_rel) == kAsleep) {
    const std::lock_guard lock(mutex_);  // it waits, or looks again before it does
    changed_.notify_all();
  }
}

void WhenIdle::run() noexcept {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    state_.store(kQuiet, std::memory_order_release);
    if (changed_.wait_for(lock, quiet_, [this] { return ended_; })) {
      return;
    }
    if (state_.load(std::memory_order_acquire) == kBusy) {
      continue;
    }
    lock.unlock();
    action_();
    done_.fetch_add(1, std::memory_order_relaxed);
    lock.lock();
    std::uint32_t quiet = kQuiet;
    if (state_.compare_exchange_strong(quiet, kAsleep, std::memory_order_acq_rel)) {
      changed_.wait(lock, [this] { return ended_ || state_ != kAsleep; });
    }
  }
}

}  // namespace sbx::overlay
