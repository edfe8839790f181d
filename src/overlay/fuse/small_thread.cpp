#include "overlay/fuse/small_thread.hpp"

#include <signal.h>

#include <cstddef>

namespace sbx::overlay {

namespace {

// A handler's frames are small; buffers of up to 64 KiB stand on the stack.
constexpr std::size_t kStackBytes = 512 * 1024;

}  // namespace

bool start_small_thread(pthread_t& thread, void* (*body)(void*), void* argument) noexcept {
  pthread_attr_t attributes;
  sigset_t all;
  sigset_t before;
  (void)::pthread_attr_init(&attributes);
  (void)::pthread_attr_setstacksize(&attributes, kStackBytes);
  (void)::sigfillset(&all);
  (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started = ::pthread_create(&thread, &attributes, body, argument) == 0;
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  (void)::pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace sbx::overlay
