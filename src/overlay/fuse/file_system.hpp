#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "layer/image_tree.hpp"
#include "overlay/core/id_view.hpp"
#include "overlay/core/overlay.hpp"
#include "overlay/fuse/request_stats.hpp"
#include "sys/fd.hpp"

namespace sbx::overlay {

/// An image as the lower tree.
struct ImageLower {
  layer::ImageTree tree;
  std::vector<sys::Fd> layers;  // the tars, in the order of tree.layer()
};

/// A directory of the host as the lower tree.
struct DirLower {
  sys::Fd root;  // O_PATH is enough
  /// Others change it while it is served: answers are believed for a second only.
  bool live = false;
  /// Shown as empty directories: "proc", "sys", "dev", "run", whatever is mounted over inside.
  std::vector<std::string> exclude;
};

/// Directories of the host that are layers of an overlay, the uppermost first. Opened O_RDONLY.
struct StackLower {
  std::vector<sys::Fd> roots;
  bool live = false;  // as in DirLower
};

/// What the kernel does with written data.
enum class WriteCache {
  kThrough,  // each write(2) is a request; reading, stat and unlink send fewer
  kBack      // writes are gathered; but after each close(2), of a reader too, stat(2) asks again
};

/// What a listing of a directory brings.
enum class Listing {
  kAsAsked,  // attributes too, where they were asked for before; names else
  kWithAttributes  // always: for the kernel's overlay above, which reads names first and then asks for each
};

struct ServeRequest {
  std::variant<ImageLower, DirLower, StackLower> lower;
  /// Directories on one file system; both invalid: a read-only file system.
  sys::Fd upper;
  sys::Fd work;
  Upper::Options upper_options;
  bool static_nlink = false;  // directories have link count 1
  /// POSIX ACLs: then the kernel asks for that of each file that is used by who does not own it.
  bool acls = false;
  bool xattrs = true;  // false: no extended attributes are served
  IdView ids;
  Durability durability = Durability::kDurable;
  std::optional<QuotaLimits> quota;
  WriteCache write_cache = WriteCache::kThrough;
  Listing listing = Listing::kAsAsked;
  /// Most threads that answer; 0: one per processor, at most 4.
  unsigned threads = 0;
  bool time_requests = false;  // requests are counted in any case
};

class Session;

/// One overlay, ready to be served over a FUSE mount.
///
/// make() may run in the process that later forks: it starts no thread and mounts nothing. serve() runs in the
/// child, whose view of the host's files must be the invoking user's. Whoever serves must never touch the mount.
/// Threads get clones of the device if the child's user namespace is the mount's, and share the one otherwise.
class FileSystem {
 public:
  /// Opens and checks all there is. kUnsupported, with a hint, if the upper directory's file system will not do.
  static Result<std::unique_ptr<FileSystem>> make(ServeRequest request);
  ~FileSystem();
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  /// Allocates what serving needs, for a caller that waits for its device. serve() does it otherwise.
  Result<void> prepare();

  /// Serves the connection `device`, an opened /dev/fuse that somebody has mounted or is about to mount with
  /// default_permissions,allow_other. Blocks until the file system is unmounted, which is success. Once.
  Result<void> serve(sys::Fd device);

  /// What was asked; complete once serve() has returned.
  [[nodiscard]] const RequestStats& stats() const { return stats_; }
  [[nodiscard]] Overlay& overlay() { return *overlay_; }

 private:
  FileSystem(std::unique_ptr<Overlay> overlay, unsigned threads, const ServeRequest& how);

  std::unique_ptr<Overlay> overlay_;
  unsigned threads_;
  WriteCache write_cache_;
  Listing listing_;
  bool time_requests_;
  std::unique_ptr<Session> session_;  // from prepare() on
  RequestStats stats_{};
};

}  // namespace sbx::overlay
