#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace sbx::sys {

/// pread(2) of exactly data.size() bytes, without allocation: for where an error must become an errno.
/// EIO if the file ends earlier, EOVERFLOW for an offset beyond what off_t holds.
FsResult<std::size_t> pread_exact(int fd, std::span<std::byte> data, std::uint64_t offset) noexcept;

}  // namespace sbx::sys
