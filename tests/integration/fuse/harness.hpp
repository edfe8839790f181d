#pragma once

// A FUSE mount of ours in user and mount namespaces of its own, as the runtime sets it up: one process mounts
// and works in the file system, another one serves it.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "overlay/fuse/file_system.hpp"

namespace sbx::test {

/// A fresh directory below $TMPDIR or /var/tmp, removed with all it holds.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct MountOptions {
  std::string lower;  // host directory
  std::string upper;  // empty: read-only
  std::string work;
  std::string mountpoint;
  overlay::Durability durability = overlay::Durability::kVolatile;
  overlay::WriteCache write_cache = overlay::WriteCache::kThrough;
  overlay::Upper::Options upper_options;
  overlay::Listing listing = overlay::Listing::kAsAsked;
  bool live = false;
  std::vector<std::string> exclude;
  unsigned threads = 0;
  bool print_counts = false;
  /// If set, makes the request instead of lower (the image of a test).
  std::function<void(overlay::ServeRequest&)> prepare;
};

/// Runs `body` as root of a new user namespace that maps all ids we may map, with the overlay mounted. Returns what it
/// returns, as an exit code; 77 after printing why, if namespaces or FUSE cannot be had here; 70 if the server failed.
int run_mounted(const MountOptions& options, const std::function<int()>& body);

/// Whether a mount works at all; prints the reason if not.
bool fuse_usable();

}  // namespace sbx::test
