#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "layer/squash_codec.hpp"
#include "layer/squash_format.hpp"

namespace sbx::layer {

/// Where the squashfs lies in an open file. Not owned.
struct SquashSource {
  int fd = -1;
  std::uint64_t base = 0;  // of its superblock
  std::uint64_t size = 0;  // bytes from there on that are its own
};

Error squash_damaged(std::string reason);

/// The superblock with everything in it that can be checked alone: version, block size, tables inside of the file. kCorrupt, or
/// kUnsupported for another version.
Result<squash::SuperBlock> read_squash_super(const SquashSource& source);

/// Reads the chains of compressed metadata blocks of a squashfs. Decompressed ones are kept in a small cache, because directories
/// jump about in the inode table. Every failure is kCorrupt.
class SquashMeta {
 public:
  /// All must outlive it. Positions and `end` are counted from the superblock.
  SquashMeta(const SquashSource& source, SquashCodec& codec, std::uint64_t end)
      : source_(source), codec_(codec), end_(std::min(end, source.size)) {}

  /// To byte `offset` of what the metadata block at `position` decompresses to.
  Result<void> seek(std::uint64_t position, std::uint32_t offset);
  /// The next bytes, over the ends of blocks.
  Result<void> read(std::span<std::byte> out);
  template <class Record>
  Result<Record> get() {
    Record out;
    SBX_TRY(read(std::as_writable_bytes(std::span(&out, 1))));
    return out;
  }

  /// `count` records of a table: its blocks' positions lie, 8 bytes each, at `where`.
  template <class Record>
  Result<std::vector<Record>> table(std::uint64_t where, std::uint32_t count) {
    std::vector<Record> out(count);
    SBX_TRY(read_table(where, std::as_writable_bytes(std::span(out))));
    return out;
  }
  /// Bytes that are in no metadata block.
  Result<void> read_plain(std::uint64_t position, std::span<std::byte> out) const;

 private:
  struct Cached {
    std::uint64_t position = UINT64_MAX;
    std::uint64_t next = 0;  // where the block behind it begins
    std::uint32_t size = 0;
    std::unique_ptr<std::array<std::byte, squash::kMetaBlock>> bytes;
  };
  Result<Cached*> block(std::uint64_t position);
  Result<void> fill(Cached& slot, std::uint64_t position);
  Result<void> read_table(std::uint64_t where, std::span<std::byte> out);

  const SquashSource& source_;
  SquashCodec& codec_;
  std::uint64_t end_;
  std::uint64_t position_ = 0;
  std::uint32_t offset_ = 0;
  std::array<Cached, 128> cache_;  // 1 MiB when all are in use
};

}  // namespace sbx::layer
