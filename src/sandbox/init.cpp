#include <signal.h>

#include <cerrno>

#include "sandbox/stage.hpp"
#include "sys/raw.hpp"
#include "sys/text_pages.hpp"

namespace sbx::sandbox {
namespace {

namespace raw = sys::raw;

/// Reaps everything that is dead. Leaves when the command is among them: the kernel then kills the rest,
/// because the first process of a pid namespace ends with it; see pid_namespaces(7).
void reap_all(pid_t child) noexcept {
  raw::Exit dead{};
  for (;;) {
    const long reaped = raw::reap(&dead);
    if (reaped == -ECHILD) {
      raw::exit(0);  // cannot be: the command is our child until it is reaped below
    }
    if (reaped <= 0) {
      return;
    }
    if (dead.pid == child) {
      raw::exit(dead.code);
    }
  }
}

}  // namespace

void run_init(pid_t child) noexcept {
  // All signals are blocked since the stage began, so none is lost between fork and here.
  bool settled = false;
  for (;;) {
    long signal = raw::wait_any_signal(settled ? -1 : sys::kSettledMs);
    if (signal == -EAGAIN) {
      settled = true;
      // Takes the loader's lock, which is free: the supervisor has one thread.
      sys::drop_text_pages();
      signal = raw::wait_any_signal(-1);
    }
    if (signal < 0) {
      continue;  // EINTR: stopped and continued
    }
    switch (signal) {
      case SIGCHLD:
        reap_all(child);
        break;
      case SIGTTIN:
      case SIGTTOU:
        break;  // about our own terminal access, of which there is none
      default:
        (void)raw::kill(child, static_cast<int>(signal));  // gone already: SIGCHLD follows
        break;
    }
  }
}

}  // namespace sbx::sandbox
