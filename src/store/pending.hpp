#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "store/store.hpp"
#include "sys/lock.hpp"

namespace sbx::store {

/// What an unfinished pull has fetched: its finished layers lie among the blobs, although no image names them yet, and
/// are not collected for a week, so that the next try goes on there. One file per image, pending/<chain id>: the diff ids.
class Pending {
 public:
  /// Replaces what an earlier try noted. `store` must outlive the result.
  static Result<Pending> note(const Store& store, const oci::ChainId& chain,
                              const std::vector<oci::DiffId>& layers);

  /// The layers need no protection any more: an image names them, or nobody wants them.
  void forget();

  /// One layer is fetched by one process at a time; the others wait here and then find it in the store.
  [[nodiscard]] Result<sys::FileLock> lock_layer(const oci::DiffId& layer) const;

 private:
  Pending(const Store& store, std::string path) : store_(&store), path_(std::move(path)) {}

  const Store* store_;
  std::string path_;
};

/// The blobs (hexadecimal digests) that unfinished pulls of the last week need. Removes older notes, and the lock
/// files: nobody may be loading (try_collect_lock()).
Result<std::set<std::string>> pending_blobs(const Store& store);

}  // namespace sbx::store
