#include "sys/disk_usage.hpp"

#include <fts.h>
#include <sys/stat.h>

#include <memory>
#include <set>
#include <utility>

namespace sbx::sys {
namespace {

constexpr std::uint64_t kBlock = 512;  // st_blocks; see stat(2)

}  // namespace

Result<std::uint64_t> disk_usage(const std::string& path) {
  std::string name = path;
  char* const paths[] = {name.data(), nullptr};
  // NOCHDIR: the current directory is the user's.
  const std::unique_ptr<FTS, decltype(&::fts_close)> walk(
      ::fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr), &::fts_close);
  if (walk == nullptr) {
    return fail(Error::system("measure", path));
  }
  std::uint64_t bytes = 0;
  std::set<std::pair<dev_t, ino_t>> linked;
  while (const FTSENT* entry = ::fts_read(walk.get())) {
    // A directory comes twice, before and after what is in it.
    if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS || entry->fts_statp == nullptr) {
      continue;
    }
    const struct stat& st = *entry->fts_statp;
    if (st.st_nlink > 1 && !S_ISDIR(st.st_mode) && !linked.emplace(st.st_dev, st.st_ino).second) {
      continue;
    }
    bytes += static_cast<std::uint64_t>(st.st_blocks) * kBlock;
  }
  return bytes;
}

}  // namespace sbx::sys
