#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/core/types.hpp"

namespace sbx::overlay {

/// XATTR_SIZE_MAX and XATTR_LIST_MAX of <linux/limits.h>.
inline constexpr std::size_t kXattrSizeMax = 65536;

/// Copies `length` bytes between two files: copy_file_range(2) where the file systems can, so that a
/// reflink or a server-side copy happens where there is such a thing; else through a buffer.
/// EIO if `from` ends early.
FsResult<void> copy_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                          std::uint64_t length) noexcept;

/// Copies the first `length` bytes of a file to the same offsets of `to`, which has none there: what is a
/// hole in `from` stays one. A file that ends early is copied to its end.
FsResult<void> copy_sparse(int from, int to, std::uint64_t length) noexcept;

/// Cuts what listxattr(2) returns, names each with its NUL, into strings.
void split_names(std::string_view list, std::vector<std::string>& names);

}  // namespace sbx::overlay
