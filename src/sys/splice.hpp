#pragma once

// Bytes from one descriptor to another that do not come by us. See sendfile(2), splice(2). Both retry EINTR.

#include <cstddef>
#include <cstdint>

#include "base/result.hpp"

namespace sbx::sys {

/// From a regular file, at its position, to anything that can be written. Less than `size` may be sent; 0 at the end of the file.
/// EINVAL if the file cannot do it.
FsResult<std::size_t> send_file(int out, int in, std::uint64_t size) noexcept;

/// From a pipe to a file, at its position. 0 when nobody writes to the pipe any more. EINVAL if one of them cannot do it.
FsResult<std::size_t> splice_from_pipe(int pipe, int out, std::uint64_t size) noexcept;

/// As much room in a pipe as an ordinary user may have; a wish.
void widen_pipe(int pipe) noexcept;

}  // namespace sbx::sys
