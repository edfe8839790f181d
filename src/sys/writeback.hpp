#pragma once

#include <cstdint>

namespace sbx::sys {

/// Asks the kernel to begin writing a part of a file to disk, without waiting (sync_file_range(2)), so
/// that a later fsync finds little left to do. A hint: failures do not matter.
void start_writeback(int fd, std::uint64_t offset, std::uint64_t size) noexcept;

}  // namespace sbx::sys
