#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace sbx::store {

/// The names of the files that are needed, per directory.
struct Needed {
  std::set<std::string> blobs;
  std::set<std::string> trees;
};
/// What the images of index.json and unfinished pulls need. The caller holds try_collect_lock(). Fails if an image cannot be
/// read: in doubt, everything is needed.
Result<Needed> needed_files(const Store& store);

struct Collected {
  bool ran = false;  // false: something was in use; the next call gets it
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  /// The large ones of the removed files, still open: they are freed when these are closed, which takes a while.
  std::vector<sys::Fd> held;
};

/// Removes blobs and trees that no image of index.json and no unfinished pull needs, and what killed loads left in staging. Does not
/// wait: with a load going on it does nothing. If any image cannot be read, nothing is removed.
/// Running containers keep their files, because they hold them open.
Result<Collected> collect_garbage(const Store& store);

/// As collect_garbage, but only if a killed load left something behind: cheap enough for every command.
Result<void> clean_leftovers(const Store& store);

}  // namespace sbx::store
