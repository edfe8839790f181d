#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace sbx::overlay {

/// Does something once when no request has come for a while, in a thread of its own: for giving memory back. That thread looks once in
/// each such while as long as requests come, and sleeps without end when it has done it. The first request after that wakes it.
class WhenIdle {
 public:
  /// `action`: called by one thread at a time.
  WhenIdle(std::function<void()> action, std::chrono::milliseconds quiet)
      : action_(std::move(action)), quiet_(quiet) {}
  ~WhenIdle();
  WhenIdle(const WhenIdle&) = delete;
  WhenIdle& operator=(const WhenIdle&) = delete;

  /// Nothing happens before. Calls after the first do nothing. One thread at a time.
  void start() noexcept;
  /// A request came. Any thread; a load of one word but for the first time in each while.
  void note() noexcept {
    if (state_.load(std::memory_order_relaxed) != kBusy) {
      wake();
    }
  }
  /// How often it was done.
  [[nodiscard]] unsigned done() const { return done_.load(std::memory_order_relaxed); }

 private:
  enum State : std::uint32_t { kBusy, kQuiet, kAsleep };

  void wake() noexcept;
  void run() noexcept;

  const std::function<void()> action_;
  const std::chrono::milliseconds quiet_;
  std::atomic<std::uint32_t> state_ = kBusy;  // kQuiet: nobody came since the thread looked
  std::atomic<unsigned> done_ = 0;
  std::mutex mutex_;  // guards ended_; kAsleep is entered under it
  std::condition_variable changed_;
  bool ended_ = false;
  bool started_ = false;  // set by start()
  pthread_t thread_{};
};

}  // namespace sbx::overlay
