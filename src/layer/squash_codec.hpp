#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/result.hpp"

namespace sbx::layer {

/// Decompresses the blocks of one squashfs. One thread at a time; make one for each.
///
/// libsquashfs does it, loaded when the first codec is made: linked, it and the four libraries below it would cost every start
/// of sbx, though few run a squashfs. For gzip, which apptainer writes, ISA-L takes its place if it is there: see README.md.
class SquashCodec {
 public:
  /// `compression` as in the superblock. kUnsupported for one that libsquashfs was built without (lzo), kNotFound if libsquashfs
  /// is not installed.
  static Result<SquashCodec> make(std::uint32_t compression, std::uint32_t block_size);

  /// How many bytes of `out` the block fills. EIO if it is damaged or larger than `out`.
  FsResult<std::size_t> decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;

 private:
  struct Destroy {
    void operator()(void* compressor) const noexcept;
  };
  struct Inflate;
  struct FreeInflate {
    void operator()(Inflate* inflate) const noexcept;
  };
  explicit SquashCodec(void* compressor) : compressor_(compressor) {}
  explicit SquashCodec(std::unique_ptr<Inflate, FreeInflate> inflate)
      : inflate_(std::move(inflate)) {}
  std::unique_ptr<void, Destroy> compressor_;  // sqfs_compressor_t; null if there is inflate_
  std::unique_ptr<Inflate, FreeInflate> inflate_;
};

/// Loads libsquashfs, for a process that will not be able to open it later. kNotFound, kUnsupported.
Result<void> load_squash_library();

/// "gzip", "zstd", ...; "unknown".
const char* squash_compression_name(std::uint32_t compression);

}  // namespace sbx::layer
