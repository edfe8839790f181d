#include "sys/file_identity.hpp"

#include <fmt/format.h>

#include "sys/file.hpp"

namespace sbx::sys {

Result<std::string> identity_of(int fd, std::string_view name) {
  const struct stat st = SBX_TRY(stat_fd(fd, name));
  return fmt::format("{:x}:{}:{}.{:09}", st.st_dev, st.st_ino, st.st_ctim.tv_sec,
                     st.st_ctim.tv_nsec);
}

}  // namespace sbx::sys
