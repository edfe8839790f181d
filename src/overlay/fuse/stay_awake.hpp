#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sbx::overlay {

/// Keeps the second processor of two from falling asleep while one client asks one thing after the other.
///
/// Client and server then take turns: one processor is always idle, so the scheduler puts whoever is woken there, and waking an
/// idle processor costs more than the request (in a virtual machine up to ten times as much). A thread of ours that spins at the
/// lowest priority (nice 19) makes that processor look taken: client and server stay together on the other one. It spins only while
/// requests of one client come without a pause, and what anybody else has to do goes first. With more than two processors
/// there is always another idle one, and nothing is gained: then, and with one, nothing is done.
class StayAwake {
 public:
  explicit StayAwake(bool useful) : useful_(useful) {}
  ~StayAwake();
  StayAwake(const StayAwake&) = delete;
  StayAwake& operator=(const StayAwake&) = delete;

  /// A request of this thread (fuse_in_header.pid; 0: the kernel's own) was read. Any thread, cheap.
  void note(std::uint32_t client) noexcept {
    if (client == 0 || !useful_) {
      return;
    }
    if (client != client_.load(std::memory_order_relaxed)) {
      client_.store(client, std::memory_order_relaxed);
      row_.store(0, std::memory_order_relaxed);
      return;
    }
    if (row_.fetch_add(1, std::memory_order_relaxed) + 1 ==
        needed_.load(std::memory_order_relaxed)) {
      begin();
    }
  }

  /// For a worker that would be the second one to wait for requests: returns when one may be too few. No request waits for that longer
  /// than 2 ms.
  void wait_while_one_will_do() noexcept;

  /// How often spinning began.
  [[nodiscard]] unsigned begun() const { return begun_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool spins() const { return wanted_.load(std::memory_order_relaxed) == kSpin; }

  /// Requests in a row after which it begins, at first.
  static constexpr std::uint32_t kRow = 64;

 private:
  enum Wanted : std::uint32_t { kSleep, kSpin, kEnd };

  void begin() noexcept;
  void run() noexcept;
  /// Until no more requests of one client come, or it is all over.
  void spin() noexcept;

  const bool useful_;
  std::atomic<std::uint32_t> client_ = 0;     // who asked last
  std::atomic<std::uint32_t> row_ = 0;        // requests of his in a row
  std::atomic<std::uint32_t> needed_ = kRow;  // row at which spinning begins
  std::atomic<std::uint32_t> wanted_ = kSleep;
  std::atomic<std::uint32_t> begun_ = 0;
  std::mutex mutex_;  // wanted_ changes from or to kSleep and kEnd under it
  std::condition_variable changed_;
  bool started_ = false;  // set by the one who made wanted_ kSpin
  pthread_t thread_{};
};

}  // namespace sbx::overlay
