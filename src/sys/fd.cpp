#include "sys/fd.hpp"

#include <unistd.h>

#include <cerrno>

namespace sbx::sys {

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) {
    const int kept = errno;
    (void)::close(fd_);  // on Linux the descriptor is gone whatever close(2) says
    errno = kept;
  }
  fd_ = fd;
}

}  // namespace sbx::sys
