#include "sys/fd.hpp"

#include <fcntl.h>
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

Result<void> set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return fail(Error::system("change a descriptor", ""));
  }
  return {};
}

void fill_standard_streams() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) < 0 && errno == EBADF) {
      (void)::open("/dev/null", O_RDWR);  // takes the lowest number that is free: this one
    }
  }
}

}  // namespace sbx::sys
