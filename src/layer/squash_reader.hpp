#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "layer/image_tree.hpp"
#include "layer/squash_codec.hpp"

namespace sbx::layer {

/// Reads the data of a tree that was made from a squashfs. Any number of threads decompress at once; two that want the same block
/// decompress it once. Blocks that were asked for in part stay, a few megabytes of them, so that small pieces in sequence, and
/// small files, which share blocks, cost one decompression.
class SquashReader {
 public:
  /// The tree must be of a squashfs. The tree and the descriptor, which is the image file's, must outlive the reader. Loads
  /// nothing yet.
  SquashReader(const ImageTree& tree, int file);
  ~SquashReader();
  SquashReader(const SquashReader&) = delete;
  SquashReader& operator=(const SquashReader&) = delete;

  /// Makes the first decompressor, so that what is missing is known before it is needed: kNotFound, kUnsupported.
  Result<void> prepare();

  /// Up to data.size() bytes of a regular file from `offset`, holes as zeros; less only at its end. EIO for damaged blocks and
  /// without the library.
  FsResult<std::size_t> read(TreeIno ino, std::uint64_t offset, std::span<std::byte> data) noexcept;

  /// A whole small file. kLimit if it is larger than `max`.
  Result<std::string> read_file(TreeIno ino, std::size_t max);

 private:
  using Block = ImageTree::Block;
  struct Decoder {
    SquashCodec codec;
    std::unique_ptr<std::byte[]> input;  // a block as stored
  };
  struct Slot {
    std::uint64_t offset = 0;  // of the block in the file: nothing lies at 0
    std::uint64_t used = 0;    // the clock when it was last asked for
    std::size_t size = 0;
    unsigned readers = 0;  // of `bytes`; a slot with readers is not taken for another block
    bool loading = false;
    Errno failure{};
    std::unique_ptr<std::byte[]> bytes;
  };
  class Loan;

  FsResult<std::unique_ptr<Decoder>> take_decoder() noexcept;
  void give_back(std::unique_ptr<Decoder> decoder) noexcept;
  FsResult<std::size_t> load(const Block& block, std::span<std::byte> out) noexcept;
  FsResult<void> read_block(const Block& block, std::uint32_t from,
                            std::span<std::byte> data) noexcept;
  FsResult<void> read_through_cache(const Block& block, std::uint32_t from,
                                    std::span<std::byte> data) noexcept;
  FsResult<void> read_alone(const Block& block, std::uint32_t from,
                            std::span<std::byte> data) noexcept;
  Slot* find_slot(std::uint64_t offset) noexcept;
  Slot* free_slot() noexcept;
  [[nodiscard]] std::uint32_t first_block(TreeIno ino, std::uint64_t offset) const noexcept;

  const ImageTree& tree_;
  const int file_;
  const ImageTree::Squash squash_;

  // A leaf: nothing is called while it is held. Guards the four fields below.
  std::mutex mutex_;
  std::condition_variable loaded_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<Decoder>> decoders_;  // that nobody uses now
  std::uint64_t clock_ = 0;
};

}  // namespace sbx::layer
