#include "overlay/fuse/stay_awake.hpp"

#include <sys/resource.h>
#include <time.h>

#include <chrono>

#include "overlay/fuse/small_thread.hpp"
#include "sys/raw.hpp"

namespace sbx::overlay {

namespace {

constexpr std::int64_t kMs = 1'000'000;
// In each stretch of time at least so many requests must come, else the client does something else.
constexpr std::int64_t kLookNs = kMs / 5;
constexpr std::uint32_t kLeastRequests = 2;
// Once they are together they mostly stay so: it need not spin for long, nor soon again.
constexpr std::int64_t kSpinNs = 2 * kMs;
constexpr std::chrono::milliseconds kRest{98};
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
  changed_.notify_one();
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
  changed_.notify_one();
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
    if (changed_.wait_for(lock, kRest, [this] { return wanted_ == kEnd; })) {
      return;
    }
    row_ = 0;
    wanted_ = kSleep;
  }
}

void StayAwake::spin() noexcept {
  const std::int64_t end = sys::raw::monotonic_ns() + kSpinNs;
  std::int64_t look = end - kSpinNs + kLookNs;
  std::uint32_t seen = row_.load(std::memory_order_relaxed);
  for (std::int64_t now = 0; now < end; now = sys::raw::monotonic_ns()) {
    relax();
    if (now < look) {
      continue;
    }
    look = now + kLookNs;
    const std::uint32_t row = row_.load(std::memory_order_relaxed);
    if (row < seen + kLeastRequests) {
      return;
    }
    seen = row;
  }
}

}  // namespace sbx::overlay
