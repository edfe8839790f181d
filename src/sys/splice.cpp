#include "sys/splice.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sbx::sys {
namespace {

// The default of /proc/sys/fs/pipe-max-size.
constexpr int kPipeBytes = 1 << 20;
constexpr std::uint64_t kPiece = std::uint64_t{1} << 30U;

}  // namespace

FsResult<std::size_t> send_file(int out, int in, std::uint64_t size) noexcept {
  for (;;) {
    const ssize_t sent =
        ::sendfile(out, in, nullptr, static_cast<std::size_t>(std::min(size, kPiece)));
    if (sent >= 0) {
      return static_cast<std::size_t>(sent);
    }
    if (errno != EINTR) {
      return fail(Errno::last());
    }
  }
}

FsResult<std::size_t> splice_from_pipe(int pipe, int out, std::uint64_t size) noexcept {
  for (;;) {
    const ssize_t moved = ::splice(pipe, nullptr, out, nullptr,
                                   static_cast<std::size_t>(std::min(size, kPiece)), SPLICE_F_MOVE);
    if (moved >= 0) {
      return static_cast<std::size_t>(moved);
    }
    if (errno != EINTR) {
      return fail(Errno::last());
    }
  }
}

void widen_pipe(int pipe) noexcept { (void)::fcntl(pipe, F_SETPIPE_SZ, kPipeBytes); }

}  // namespace sbx::sys
