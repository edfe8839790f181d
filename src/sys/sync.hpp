#pragma once

#include <string_view>

#include "base/result.hpp"

namespace sbx::sys {

/// syncfs(2): all that was written to the file system that `fd` lies on.
Result<void> sync_file_system(int fd, std::string_view name);

}  // namespace sbx::sys
