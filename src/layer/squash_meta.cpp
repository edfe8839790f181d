#include "layer/squash_meta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "sys/pread.hpp"

namespace sbx::layer {
namespace {

constexpr std::uint32_t kMinBlock = 4U
                                    << 10U;  // SQUASHFS_FILE_MAX_SIZE and the least of mksquashfs
constexpr std::uint32_t kMaxBlock = 1U << 20U;

/// A table at `where` that is there, or need not be.
bool lies_inside(const squash::SuperBlock& super, std::uint64_t where) {
  return where >= sizeof(squash::SuperBlock) && where < super.bytes_used;
}

}  // namespace

Error squash_damaged(std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "read squashfs", "", std::move(reason));
}

Result<squash::SuperBlock> read_squash_super(const SquashSource& source) {
  squash::SuperBlock super{};
  if (source.size < sizeof super ||
      !sys::pread_exact(source.fd, std::as_writable_bytes(std::span(&super, 1)), source.base)) {
    return fail(squash_damaged("it is too short"));
  }
  if (super.magic != squash::kMagic) {
    return fail(squash_damaged("it does not begin as a squashfs does"));
  }
  if (super.major != 4 || super.minor != 0) {
    return fail(
        Error::make(ErrorCode::kUnsupported, "read squashfs", "",
                    fmt::format("its version is {}.{}, known is 4.0", super.major, super.minor)));
  }
  if (super.block_size < kMinBlock || super.block_size > kMaxBlock || super.block_log > 20 ||
      super.block_size != 1U << super.block_log) {
    return fail(squash_damaged("its block size is none"));
  }
  if (super.bytes_used > source.size) {
    return fail(squash_damaged(
        fmt::format("it should have {} bytes, {} are there", super.bytes_used, source.size)));
  }
  const bool fragments = super.fragment_count == 0 || lies_inside(super, super.fragments);
  const bool xattrs = super.xattrs == squash::kNoTable || lies_inside(super, super.xattrs);
  if (!lies_inside(super, super.ids) || !lies_inside(super, super.inodes) ||
      !lies_inside(super, super.directories) || super.inodes >= super.directories || !fragments ||
      !xattrs || super.id_count == 0) {
    return fail(squash_damaged("a table lies outside of it"));
  }
  return super;
}

Result<void> SquashMeta::read_plain(std::uint64_t position, std::span<std::byte> out) const {
  if (position > end_ || out.size() > end_ - position ||
      !sys::pread_exact(source_.fd, out, source_.base + position)) {
    return fail(squash_damaged("it ends too early"));
  }
  return {};
}

Result<void> SquashMeta::fill(Cached& slot, std::uint64_t position) {
  std::uint16_t head = 0;
  SBX_TRY(read_plain(position, std::as_writable_bytes(std::span(&head, 1))));
  const std::uint32_t stored = head & (squash::kMetaPlain - 1U);
  if (stored == 0 || stored > squash::kMetaBlock) {
    return fail(squash_damaged("a metadata block has no size that it can have"));
  }
  if (!slot.bytes) {
    slot.bytes = std::make_unique<std::array<std::byte, squash::kMetaBlock>>();
  }
  slot.position = UINT64_MAX;
  if ((head & squash::kMetaPlain) != 0) {
    SBX_TRY(read_plain(position + sizeof head, std::span(*slot.bytes).first(stored)));
    slot.size = stored;
  } else {
    std::array<std::byte, squash::kMetaBlock> input;
    SBX_TRY(read_plain(position + sizeof head, std::span(input).first(stored)));
    const auto got = codec_.decode(std::span(input).first(stored), *slot.bytes);
    if (!got) {
      return fail(squash_damaged("a metadata block cannot be decompressed"));
    }
    slot.size = static_cast<std::uint32_t>(*got);
  }
  slot.position = position;
  slot.next = position + sizeof head + stored;
  return {};
}

Result<SquashMeta::Cached*> SquashMeta::block(std::uint64_t position) {
  // Any hash that tells neighbours apart: blocks are at least 3 bytes, mostly some thousand.
  Cached& slot = cache_[(position ^ position >> 11U) % cache_.size()];
  if (slot.position != position) {
    SBX_TRY(fill(slot, position));
  }
  return &slot;
}

Result<void> SquashMeta::seek(std::uint64_t position, std::uint32_t offset) {
  position_ = position;
  offset_ = offset;
  return offset < squash::kMetaBlock
             ? Result<void>()
             : fail(squash_damaged("a reference leads outside of a metadata block"));
}

Result<void> SquashMeta::read(std::span<std::byte> out) {
  while (!out.empty()) {
    const Cached* const slot = SBX_TRY(block(position_));
    if (offset_ >= slot->size) {
      if (offset_ > slot->size) {
        return fail(squash_damaged("a reference leads outside of a metadata block"));
      }
      position_ = slot->next;
      offset_ = 0;
      continue;
    }
    const std::size_t now = std::min<std::size_t>(out.size(), slot->size - offset_);
    std::memcpy(out.data(), slot->bytes->data() + offset_, now);
    offset_ += static_cast<std::uint32_t>(now);
    out = out.subspan(now);
  }
  return {};
}

Result<void> SquashMeta::read_table(std::uint64_t where, std::span<std::byte> out) {
  while (!out.empty()) {
    std::uint64_t position = 0;
    SBX_TRY(read_plain(where, std::as_writable_bytes(std::span(&position, 1))));
    SBX_TRY(seek(position, 0));
    const auto part = out.first(std::min<std::size_t>(out.size(), squash::kMetaBlock));
    SBX_TRY(read(part));
    out = out.subspan(part.size());
    where += sizeof position;
  }
  return {};
}

}  // namespace sbx::layer
