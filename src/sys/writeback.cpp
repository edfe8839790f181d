#include "sys/writeback.hpp"

#include <fcntl.h>

namespace sbx::sys {

void start_writeback(int fd, std::uint64_t offset, std::uint64_t size) noexcept {
  (void)::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(size),
                          SYNC_FILE_RANGE_WRITE);
}

}  // namespace sbx::sys
