#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "layer/compression.hpp"

namespace sbx::layer {

/// Takes compressed bytes as they come.
using ByteSink = std::function<Result<void>(std::span<const std::byte>)>;

/// Compresses a stream. gzip by ISA-L at its level 3 and zstd at its level 3: the same input makes the same bytes with the same
/// library. kNone passes the bytes on.
class Compressor {
 public:
  static std::unique_ptr<Compressor> make(Compression kind, ByteSink sink);

  Compressor() = default;
  virtual ~Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  Compressor(Compressor&&) = delete;
  Compressor& operator=(Compressor&&) = delete;

  /// The next bytes. Errors are those of the sink.
  virtual Result<void> feed(std::span<const std::byte> data) = 0;
  /// No more bytes follow.
  virtual Result<void> finish() = 0;
};

}  // namespace sbx::layer
