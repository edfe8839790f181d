#include "sys/sync.hpp"

#include <unistd.h>

namespace sbx::sys {

Result<void> sync_file_system(int fd, std::string_view name) {
  if (::syncfs(fd) != 0) {
    return fail(Error::system("write to disk", name));
  }
  return {};
}

}  // namespace sbx::sys
