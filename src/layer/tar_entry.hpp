#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "layer/image_tree.hpp"

namespace sbx::layer {

enum class EntryType {
  kRegular,
  kDirectory,
  kSymlink,
  kHardLink,
  kCharDevice,
  kBlockDevice,
  kFifo,
  kSocket  // of a squashfs; a tar has none
};

/// One member of a tar with everything its headers say, checked: the path is relative, without empty,
/// "." or ".." components; empty for the root itself.
struct TarEntry {
  std::string path;
  EntryType type = EntryType::kRegular;
  std::string link;        // symlink: the target as it stands; hard link: a path like `path`
  std::uint32_t mode = 0;  // 07777 bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime_sec = 0;
  std::uint32_t mtime_nsec = 0;
  std::uint64_t rdev = 0;         // as st_rdev
  std::uint64_t size = 0;         // regular: as st_size, holes included
  std::uint64_t data_offset = 0;  // of the first data byte in the tar
  bool sparse = false;
  std::vector<ImageTree::Extent> extents;  // if sparse
  std::vector<std::pair<std::string, std::string>> xattrs;
};

}  // namespace sbx::layer
