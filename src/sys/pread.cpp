#include "sys/pread.hpp"

#include <unistd.h>

#include <limits>

namespace sbx::sys {

FsResult<std::size_t> pread_exact(int fd, std::span<std::byte> data,
                                  std::uint64_t offset) noexcept {
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) - data.size()) {
    return fail(Errno(EOVERFLOW));
  }
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n =
        ::pread(fd, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return fail(n < 0 ? Errno::last() : Errno(EIO));
    }
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace sbx::sys
