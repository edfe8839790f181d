#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include "layer/byte_source.hpp"

namespace sbx::layer {

enum class Compression { kNone, kGzip, kZstd };

/// How much a layer may grow.
struct DecompressLimits {
  /// The uncompressed layer. Above every real layer (the largest CUDA images have 30 GB in all).
  std::uint64_t bytes = std::uint64_t{256} << 30U;
  /// Output per input, once there are `ratio_floor` bytes: deflate cannot do more than 1032, and real
  /// layers stay below 100; a few gigabytes of zeros in one file must still pass.
  std::uint64_t ratio = 400;
  std::uint64_t ratio_floor = std::uint64_t{4} << 30U;
  /// Shared by layers that are read at once, so that one of them at a time has a large zstd window; may be null, not owned.
  std::mutex* large_window = nullptr;
};

/// zstd's window is memory that the layer chooses. Go's zstd (docker, podman, buildkit) uses 32 MiB at its best level, `zstd -19` and
/// RFC 8878 8 MiB; only `zstd --long` and `--ultra` use more, and are refused.
inline constexpr std::uint64_t kMaxZstdWindow = std::uint64_t{32} << 20U;
/// Larger ones are large: DecompressLimits::large_window.
inline constexpr std::uint64_t kUsualZstdWindow = std::uint64_t{8} << 20U;

/// The window that the zstd frame which begins here asks for; 0 if it is none, or a skippable one. 18 bytes are enough.
std::uint64_t zstd_window(std::span<const std::byte> frame);

/// By the first bytes, as docker and containerd do: the media type of a layer is often wrong, and what
/// counts is the digest of the result. kUnsupported for other known formats (xz, bzip2, lz4).
Result<Compression> sniff_compression(std::span<const std::byte> head);

/// The uncompressed bytes of `source`: several gzip members or zstd frames one after the other are one
/// stream. Errors: kCorrupt (also what follows the last member), kLimit, and those of the source.
/// `source` must outlive the result. `name` is for errors.
Result<std::unique_ptr<ByteSource>> open_decompressor(ByteSource& source,
                                                      const DecompressLimits& limits,
                                                      std::string_view name);

}  // namespace sbx::layer
