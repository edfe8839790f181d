#include "overlay/fuse/session.hpp"

#include <linux/fuse.h>
#include <malloc.h>
#include <sys/uio.h>

#include <cstring>
#include <thread>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/raw_ops.hpp"
#include "overlay/fuse/small_thread.hpp"
#include "sys/raw.hpp"
#include "sys/text_pages.hpp"

namespace sbx::overlay {

namespace {

// What one request can need: 1 MiB of data, the kernel's limit (fs.fuse.max_pages_limit), and its head.
constexpr std::size_t kRequestBytes = (std::size_t{1} << 20) + 4096;
// The largest answer. Apart from the request, whose names and data a handler reads while it answers.
constexpr std::size_t kReplyBytes = std::size_t{1} << 20;
// So long nobody asks for anything before memory is given back: a pause for thought is no end of work.
constexpr std::chrono::seconds kIdle{5};
// Bytes of a request to forget after which its pages are given back: some 4,000 files, which takes longer than that.
constexpr std::size_t kMuchForgotten = std::size_t{64} << 10;
// How many requests one thread answers alone, unless another one waits. A first "sh -c true" makes about as many.
constexpr unsigned kAloneRequests = 64;

// The one thread-local of the room: libfuse passes handlers a request of its own making, with no way from
// it to ours.
thread_local const RawRequest* current = nullptr;

void say_nothing(enum fuse_log_level, const char*, va_list) {}  // rooms do not log

}  // namespace

const RawRequest& current_request() noexcept { return *current; }

class Session::Worker {
 public:
  Worker(sys::AnonymousBuffer request, sys::AnonymousBuffer reply)
      : request_(std::move(request)), reply_(std::move(reply)) {}

  /// The device to read from: the session's, or a clone of the worker's own.
  void use(int device) { device_ = device; }
  void use(sys::Fd clone) {
    own_ = std::move(clone);
    device_ = own_.get();
  }
  [[nodiscard]] int device() const { return device_; }
  [[nodiscard]] std::span<std::byte> request() const { return request_.bytes(); }
  [[nodiscard]] std::span<std::byte> reply() const { return reply_.bytes(); }
  void clear_request() { request_.clear(); }

  RequestStats stats{};
  pthread_t thread{};

 private:
  sys::Fd own_;
  int device_ = -1;
  sys::AnonymousBuffer request_;
  sys::AnonymousBuffer reply_;
};

Session::Session(const Served& served, unsigned threads, bool time_requests)
    : served_(served),
      overlay_(served.overlay),
      most_workers_(threads),
      time_requests_(time_requests),
      awake_(std::thread::hardware_concurrency() == 2),
      idle_([this] { release_memory(); }, kIdle) {}

Session::~Session() {
  if (session_ != nullptr) {
    fuse_session_destroy(session_);
  }
}

long Session::write_reply(int, struct iovec* parts, int count, void*) noexcept {
  if (current == nullptr) {
    errno = EINVAL;
    return -1;
  }
  patch_init_reply(current->bytes, parts, count);
  return ::writev(current->device, parts, count);
}

Result<void> Session::prepare() {
  char name[] = "sbx";
  char* argv[] = {name, nullptr};
  struct fuse_args args = FUSE_ARGS_INIT(1, argv);
  const struct fuse_lowlevel_ops ops = make_ops();
  fuse_set_log_func(say_nothing);
  session_ = fuse_session_new(&args, &ops, sizeof(ops), &served_);
  if (session_ == nullptr) {
    return fail(Error::system("start", "file system server", ENOMEM));
  }
  auto request = sys::AnonymousBuffer::make(kRequestBytes);
  auto reply = sys::AnonymousBuffer::make(kReplyBytes);
  if (!request || !reply) {
    return fail(Error::system("allocate", "request buffers", ENOMEM));
  }
  first_ = std::make_unique<Worker>(std::move(*request), std::move(*reply));
  return {};
}

Result<void> Session::run(sys::Fd device) {
  struct fuse_custom_io io {};
  io.writev = [](int fd, struct iovec* parts, int count, void* data) -> ssize_t {
    return write_reply(fd, parts, count, data);
  };
  // Never called, as we read; but libfuse wants it.
  io.read = [](int, void*, std::size_t, void*) -> ssize_t { return -1; };
  device_ = device.release();
  const int accepted = fuse_session_custom_io(session_, &io, device_);
  if (accepted != 0) {
    return fail(Error::system("use", "FUSE device", -accepted));
  }
  first_->use(device_);
  work(*first_);
  // Unmounted: every other worker gets the same answer, ENODEV, from its read.
  const std::lock_guard lock(mutex_);
  for (const auto& worker : workers_) {
    (void)::pthread_join(worker->thread, nullptr);
    add(stats_, worker->stats);
  }
  add(stats_, first_->stats);
  workers_.clear();
  const int failure = failure_;
  if (failure != 0) {
    return fail(Error::system("read requests from", "FUSE device", failure));
  }
  return {};
}

void Session::work(Worker& worker) noexcept {
  RawRequest raw;
  raw.device = worker.device();
  raw.room = worker.reply();
  current = &raw;
  for (;;) {
    if (waiting_.load(std::memory_order_relaxed) > 0 && awake_.spins()) {
      awake_.wait_while_one_will_do();
    }
    waiting_.fetch_add(1, std::memory_order_relaxed);
    const auto got = sys::read_fuse_request(worker.device(), worker.request());
    const bool last = waiting_.fetch_sub(1, std::memory_order_relaxed) == 1;
    if (!got || *got < sizeof(struct fuse_in_header)) {
      if (!got && got.error() != Errno(ENODEV)) {
        int none = 0;
        (void)failure_.compare_exchange_strong(none, got.error().value());
      }
      break;
    }
    // A start-up, or a client that asks one thing after the other, needs no second thread; but one that has work in hand
    // must not keep others waiting for ever.
    if (last && (++alone_ > kAloneRequests || sys::fuse_request_waits(worker.device()))) {
      start_worker();
    }
    raw.bytes = std::span<const std::byte>(worker.request()).first(*got);
    answer(worker, raw);
  }
  current = nullptr;
}

void Session::answer(Worker& worker, const RawRequest& raw) noexcept {
  struct fuse_in_header header;  // NOLINT: copied next
  std::memcpy(&header, raw.bytes.data(), sizeof(header));
  awake_.note(header.pid);
  idle_.note();
  RequestStat& stat = worker.stats[std::min<std::size_t>(header.opcode, worker.stats.size() - 1)];
  const std::int64_t start = time_requests_ ? sys::raw::monotonic_ns() : 0;
  if (!answer_raw(overlay_, raw, header)) {
    struct fuse_buf buffer {};
    buffer.size = raw.bytes.size();
    buffer.mem = worker.request().data();
    fuse_session_process_buf(session_, &buffer);
  }
  // The kernel fills the buffer when it forgets many files at once, and may ask for nothing after that.
  if (header.opcode == FUSE_BATCH_FORGET && raw.bytes.size() > kMuchForgotten) {
    worker.clear_request();
  }
  stat.count++;
  stat.ns += time_requests_ ? static_cast<std::uint64_t>(sys::raw::monotonic_ns() - start) : 0;
}

void Session::release_memory() noexcept {
  overlay_.release_memory();
#if defined(__GLIBC__)
  (void)::malloc_trim(0);
#endif
  sys::drop_text_pages();  // of what was done since the last time, this too
}

void Session::start_worker() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    return;
  }
  idle_.start();  // not earlier: who asks for little has little to give back
  if (workers_.size() + 1 >= most_workers_) {
    return;
  }
  auto request = sys::AnonymousBuffer::make(kRequestBytes);
  auto reply = sys::AnonymousBuffer::make(kReplyBytes);
  if (!request || !reply) {
    return;  // the workers that are there go on
  }
  auto worker = std::make_unique<Worker>(std::move(*request), std::move(*reply));
  if (auto own = sys::clone_fuse_device(device_)) {
    worker->use(std::move(*own));
  } else {
    worker->use(device_);
  }
  struct Start {
    Session* session;
    Worker* worker;
  };
  auto start = std::make_unique<Start>(Start{this, worker.get()});
  const auto run = [](void* data) -> void* {
    const std::unique_ptr<Start> mine(static_cast<Start*>(data));
    mine->session->work(*mine->worker);
    return nullptr;
  };
  if (start_small_thread(worker->thread, run, start.get())) {
    (void)start.release();
    workers_.push_back(std::move(worker));
  }
}

}  // namespace sbx::overlay
