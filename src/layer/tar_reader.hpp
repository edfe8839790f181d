#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "layer/pax.hpp"
#include "layer/sparse_map.hpp"
#include "layer/tar_entry.hpp"
#include "layer/tar_header.hpp"

namespace sbx::layer {

/// Reads a tar as its bytes arrive, and tells each entry with the offset of its data in the tar. V7, ustar,
/// old GNU (long names, sparse), star and PAX (POSIX.1-2001, GNU sparse 0.0, 0.1 and 1.0). Where readers
/// differ it reads as Go's archive/tar does, with which docker, podman, skopeo and umoci read; what is
/// ambiguous or broken is an error, never skipped. Memory: one header, at most 1 MiB of PAX, one map.
class TarReader {
 public:
  using OnEntry = std::function<Result<void>(const TarEntry&)>;

  explicit TarReader(OnEntry on_entry) : on_entry_(std::move(on_entry)) {}

  /// The next bytes. After a failure the reader must not be fed again.
  Result<void> feed(std::span<const std::byte> data);
  /// How many of the next bytes feed() would pass over without looking: file data, or all after the end.
  /// Whoever can seek may skip() them.
  [[nodiscard]] std::uint64_t skippable() const noexcept;
  void skip(std::uint64_t bytes) noexcept;
  /// No more bytes follow. kCorrupt if the tar stops inside of an entry.
  Result<void> finish() const;

 private:
  enum class State { kHeader, kMeta, kSparseBlocks, kSparseMap, kData, kEnd };

  Result<void> on_block();
  Result<void> on_header();
  Result<void> on_zero_block();
  Result<void> begin_meta();
  Result<void> on_meta();
  Result<void> begin_entry();
  Result<void> override_header(const PaxHeader& pax, bool sparse);
  [[nodiscard]] Result<TarEntry> make_entry(const PaxHeader& pax) const;
  Result<void> begin_old_sparse(TarEntry entry, std::uint64_t stored);
  Result<void> add_sparse_parts(std::size_t at, std::size_t count, std::size_t more);
  Result<void> begin_pax_sparse(TarEntry entry, const PaxHeader& pax, std::uint64_t stored);
  Result<void> on_sparse_map_block();
  Result<void> finish_sparse(TarEntry entry, std::span<const std::int64_t> numbers);
  void pass_over(std::uint64_t bytes);

  OnEntry on_entry_;
  State state_ = State::kHeader;
  std::uint64_t offset_ = 0;  // of the next byte

  std::array<std::byte, kTarBlock> block_{};
  std::size_t block_used_ = 0;
  int zero_blocks_ = 0;

  TarHeader header_;
  std::string meta_;  // the body of an 'x', 'g', 'L' or 'K' entry so far
  std::uint64_t meta_size_ = 0;
  std::uint64_t remaining_ =
      0;  // kData: bytes to pass over, padding included; sparse: stored bytes left

  std::optional<PaxHeader> pax_;  // for the next entry
  PaxHeader global_;
  std::optional<std::string> long_name_;  // GNU 'L' and 'K', for the next entry
  std::optional<std::string> long_link_;

  TarEntry sparse_entry_;  // while its map is being read
  std::vector<std::int64_t> sparse_numbers_;
  SparseMapReader sparse_map_;
};

}  // namespace sbx::layer
