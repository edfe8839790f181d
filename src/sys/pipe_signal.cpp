#include "sys/pipe_signal.hpp"

#include <pthread.h>
#include <time.h>

namespace sbx::sys {
namespace {

sigset_t only_sigpipe() {
  sigset_t set{};
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

bool is_pending() {
  sigset_t pending{};
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

PipeSignalBlock::PipeSignalBlock() : pending_before_(is_pending()) {
  const sigset_t block = only_sigpipe();
  ::pthread_sigmask(SIG_BLOCK, &block, &before_);
}

PipeSignalBlock::~PipeSignalBlock() {
  // Ours alone is taken away: one that was pending before belongs to somebody else.
  if (!pending_before_ && is_pending()) {
    const sigset_t taken = only_sigpipe();
    const struct timespec at_once {};
    (void)::sigtimedwait(&taken, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace sbx::sys
