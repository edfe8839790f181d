#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sbx::layer {

/// A member of a tar with all that a file system says of it.
struct ArchiveMember {
  std::string path;  // relative
  mode_t mode = 0;   // type and permissions; no socket: a tar has none
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timespec mtime{};
  std::uint64_t size = 0;  // of a regular file that is no hard link
  dev_t rdev = 0;
  std::string symlink;    // the target of a symlink
  std::string hard_link;  // the path of an earlier member that this is another name of; empty: none
  std::vector<std::pair<std::string, std::string>> xattrs;
};

}  // namespace sbx::layer
