#include "sys/parent.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "sys/raw.hpp"

namespace sbx::sys {

void die_with_parent(int answer) {
  (void)raw::set_parent_death_signal(SIGKILL);  // cannot fail with a signal that exists
  // It may have died before: getppid() would not tell, because anybody may be the reaper of orphans.
  struct pollfd end {
    answer, 0, 0
  };
  if (::poll(&end, 1, 0) == 1 && (end.revents & POLLERR) != 0) {
    raw::exit(128 + SIGKILL);
  }
}

long parent_pid() noexcept { return ::getppid(); }

}  // namespace sbx::sys
