#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::layer {

inline constexpr std::size_t kTarBlock = 512;
using TarBlock = std::span<const std::byte, kTarBlock>;

/// One header block as it stands, before PAX and GNU headers have their say.
struct TarHeader {
  std::string name;  // with the prefix, where the format has one
  std::string link;
  char type = '0';
  std::uint32_t mode = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t size = 0;
  std::int64_t mtime = 0;
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;
};

/// The two fields of old GNU sparse files (type 'S').
struct TarSparsePart {
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

/// ustar (POSIX.1-1988), old GNU, star and V7 headers; tar(5). `at` is the block's offset, for errors.
/// kCorrupt if the checksum is wrong or a number is none.
Result<TarHeader> parse_tar_header(TarBlock block, std::uint64_t at);

[[nodiscard]] bool is_zero_block(TarBlock block) noexcept;

/// A number field: octal, or base-256 (GNU, star) if the first bit is set. Empty is 0.
/// kCorrupt for anything else.
Result<std::int64_t> parse_tar_number(std::string_view field);

/// Old GNU sparse: the `count` pairs at `at`, up to the first empty one.
Result<std::vector<TarSparsePart>> parse_sparse_parts(TarBlock block, std::size_t at,
                                                      std::size_t count);

// Where the sparse fields stand: in the header (type 'S') and in the extension blocks that follow it.
inline constexpr std::size_t kSparseInHeader = 386;
inline constexpr std::size_t kSparsePartsInHeader = 4;
inline constexpr std::size_t kSparseMoreInHeader = 482;
inline constexpr std::size_t kSparseRealSize = 483;
inline constexpr std::size_t kSparsePartsInBlock = 21;
inline constexpr std::size_t kSparseMoreInBlock = 504;

}  // namespace sbx::layer
