#pragma once

#include <poll.h>

#include <vector>

namespace sbx::runtime {

/// What poll(2) said of a descriptor where it was asked for any of `wanted` (0: for whatever); 0 if it was not in the list.
inline short events_on(const std::vector<pollfd>& polls, int fd, short wanted = 0) {
  for (const pollfd& entry : polls) {
    if (entry.fd == fd && (wanted == 0 || (entry.events & wanted) != 0)) {
      return entry.revents;
    }
  }
  return 0;
}

}  // namespace sbx::runtime
