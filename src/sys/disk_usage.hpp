#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace sbx::sys {

/// The bytes that a file or a directory with everything below it takes on disk (blocks, as du(1)), each file once however many
/// links it has. No symlink is followed, no other file system entered. What cannot be read is passed over; absent is 0.
Result<std::uint64_t> disk_usage(const std::string& path);

}  // namespace sbx::sys
