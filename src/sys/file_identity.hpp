#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::sys {

/// Which file this is, and that it has not changed: device, inode and time of change, as text. `name` is for errors.
Result<std::string> identity_of(int fd, std::string_view name);

}  // namespace sbx::sys
