#include "overlay/fuse/stay_awake.hpp"

#include <sys/resource.h>
#include <time.h>

#include "overlay/fuse/small_thread.hpp"
#include "sys/raw.hpp"

namespace sbx::overlay {

namespace {

constexpr std::int64_t kMs = 1'000'000;
// In each stretch of time at least so many requests must come, else the client does something else.
constexpr std::int64_t kLookNs = 2 * kMs;
constexpr std::uint32_t kLeastRequests = 2;
// After a pause it takes less to begin again.
constexpr std::uint32_t kRowAgain = 8;
constexpr int kLowestPriority = 19;

void relax() noexcept {
  for (int i = 0; i < 32; ++i) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
}

}  // namespace

StayAwake::~StayAwake() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = kEnd;
  }
  changed_.notify_all();
  if (started_) {
    (void)::pthread_join(thread_, nullptr);
  }
}

void StayAwake::begin() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (wanted_ != kSleep) {
      return;
    }
    wanted_ = kSpin;
    begun_.fetch_add(1, std::memory_order_relaxed);
    const auto body = [](void* self) -> void* {
      static_cast<StayAwake*>(self)->run();
      return nullptr;
    };
    // If there is no room for a thread, `wanted_` stays as it is, and nobody tries again.
    started_ = started_ || start_small_thread(thread_, body, this);
  }
  changed_.notify_all();
}

void StayAwake::run() noexcept {
  // Of this thread only (setpriority(2), "C library/kernel differences").
  (void)::setpriority(PRIO_PROCESS, 0, kLowestPriority);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return wanted_ != kSleep; });
    lock.unlock();
    spin();
    lock.lock();
    if (wanted_ == kEnd) {
      return;
    }
    row_ = kRow - kRowAgain;  // unless somebody else asks meanwhile
    wanted_ = kSleep;
    changed_.notify_all();
  }
}

void StayAwake::spin() noexcept {
  std::int64_t look = sys::raw::monotonic_ns() + kLookNs;
  std::uint32_t seen = row_.load(std::memory_order_relaxed);
  for (;;) {
    relax();
    const std::int64_t now = sys::raw::monotonic_ns();
    if (now < look) {
      continue;
    }
    look = now + kLookNs;
    const std::uint32_t row = row_.load(std::memory_order_relaxed);
    if (row < seen + kLeastRequests) {
      return;  // nobody asks, or somebody else
    }
    seen = row;
  }
}

void StayAwake::wait_while_one_will_do() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return wanted_ != kSpin; });
}

}  // namespace sbx::overlay
