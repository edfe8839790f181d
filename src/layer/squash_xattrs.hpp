#pragma once

#include <cstdint>
#include <vector>

#include "layer/limits.hpp"
#include "layer/squash_meta.hpp"
#include "layer/tar_entry.hpp"

namespace sbx::layer {

/// The extended attributes of a squashfs.
class SquashXattrs {
 public:
  /// All must outlive it.
  SquashXattrs(const SquashSource& source, SquashCodec& codec, const squash::SuperBlock& super)
      : super_(super),
        tables_(source, codec, super.bytes_used),
        values_(source, codec, super.bytes_used) {}

  /// kCorrupt, kLimit.
  Result<void> load(const TreeLimits& limits);
  /// Those with the index `id` of an inode; none for kNoXattrs. kCorrupt, kLimit.
  Result<void> read(std::uint32_t id, TarEntry& entry);

 private:
  Result<std::string> read_value(SquashMeta& from);
  Result<void> go_to(SquashMeta& meta, std::uint64_t ref);

  const squash::SuperBlock& super_;
  SquashMeta tables_;  // and the pairs
  SquashMeta values_;  // that stand elsewhere
  std::uint64_t start_ = 0;
  std::vector<squash::XattrId> ids_;
};

}  // namespace sbx::layer
