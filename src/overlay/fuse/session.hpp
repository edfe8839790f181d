#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "overlay/fuse/file_system.hpp"
#include "overlay/fuse/stay_awake.hpp"
#include "overlay/fuse/when_idle.hpp"
#include "sys/fuse_device.hpp"

struct fuse_session;
struct iovec;

namespace sbx::overlay {

/// The request a thread is working on, as it came from the kernel: for what libfuse 3.14 does not pass on.
struct RawRequest {
  std::span<const std::byte> bytes;  // header and arguments
  int device = -1;                   // where the answer goes
  std::span<std::byte> room;         // for building the answer
};

/// The calling thread's; valid within a request handler.
const RawRequest& current_request() noexcept;

/// What the handlers work on.
struct Served {
  Overlay& overlay;
  WriteCache write_cache;
  Listing listing;
};

/// The threads that read requests from the kernel and hand them to libfuse, which calls the handlers in
/// ops_*.cpp. We read ourselves, because libfuse 3.14 cannot: start threads only when there is work for them,
/// hand over flags and requests younger than itself, and let go of buffers.
class Session {
 public:
  Session(const Served& served, unsigned threads, bool time_requests);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Everything that needs no device; once, before run().
  Result<void> prepare();
  /// Answers until the file system is unmounted.
  Result<void> run(sys::Fd device);
  [[nodiscard]] const RequestStats& stats() const { return stats_; }

 private:
  class Worker;

  void start_worker() noexcept;
  void release_memory() noexcept;
  void work(Worker& worker) noexcept;
  void answer(Worker& worker, const RawRequest& raw) noexcept;
  static long write_reply(int device, struct iovec* parts, int count, void* session) noexcept;

  Served served_;  // what handlers get
  Overlay& overlay_;
  unsigned most_workers_;
  bool time_requests_;
  struct fuse_session* session_ = nullptr;
  int device_ = -1;                // owned by session_
  std::unique_ptr<Worker> first_;  // the thread of run()
  std::atomic<int> failure_ = 0;   // errno of the first worker that could not go on

  StayAwake awake_;
  std::atomic<unsigned> waiting_ = 0;  // workers that wait for a request
  std::atomic<unsigned> alone_ = 0;    // requests that left nobody waiting for the next one
  std::mutex mutex_;  // guards the fields below; nothing is locked while it is held
  std::vector<std::unique_ptr<Worker>> workers_;
  WhenIdle idle_;  // started under mutex_
  RequestStats stats_{};
};

}  // namespace sbx::overlay
