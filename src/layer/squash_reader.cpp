#include "layer/squash_reader.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "sys/pread.hpp"

namespace sbx::layer {
namespace {

// Of decompressed blocks: 64 of the usual 128 KiB. A directory of small files is read from one or two of them; each thread
// needs one of its own.
constexpr std::size_t kCacheBytes = std::size_t{8} << 20U;
constexpr std::size_t kFewestSlots = 8;
constexpr std::size_t kMostSlots = 64;

}  // namespace

SquashReader::SquashReader(const ImageTree& tree, int file)
    : tree_(tree), file_(file), squash_(tree.squash().value_or(ImageTree::Squash{1, 0})) {
  slots_.resize(std::clamp(kCacheBytes / squash_.block_size, kFewestSlots, kMostSlots));
}

SquashReader::~SquashReader() = default;

Result<void> SquashReader::prepare() {
  auto decoder = std::make_unique<Decoder>(
      Decoder{SBX_TRY(SquashCodec::make(squash_.compression, squash_.block_size)),
              std::make_unique_for_overwrite<std::byte[]>(squash_.block_size)});
  give_back(std::move(decoder));
  return {};
}

FsResult<std::unique_ptr<SquashReader::Decoder>> SquashReader::take_decoder() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!decoders_.empty()) {
      std::unique_ptr<Decoder> decoder = std::move(decoders_.back());
      decoders_.pop_back();
      return decoder;
    }
  }
  Result<SquashCodec> codec = SquashCodec::make(squash_.compression, squash_.block_size);
  if (!codec) {
    return fail(Errno(EIO));
  }
  return std::make_unique<Decoder>(Decoder{
      std::move(codec).value(), std::make_unique_for_overwrite<std::byte[]>(squash_.block_size)});
}

void SquashReader::give_back(std::unique_ptr<Decoder> decoder) noexcept {
  const std::lock_guard lock(mutex_);
  decoders_.push_back(std::move(decoder));
}

/// The whole block; at most out.size() bytes.
FsResult<std::size_t> SquashReader::load(const Block& block, std::span<std::byte> out) noexcept {
  if (!block.compressed) {
    return sys::pread_exact(file_, out.first(std::min<std::size_t>(out.size(), block.stored)),
                            block.offset);
  }
  if (block.stored > squash_.block_size) {
    return fail(Errno(EIO));
  }
  std::unique_ptr<Decoder> decoder = SBX_TRY(take_decoder());
  const std::span<std::byte> input(decoder->input.get(), block.stored);
  FsResult<std::size_t> got = sys::pread_exact(file_, input, block.offset);
  if (got) {
    got = decoder->codec.decode(input, out);
  }
  give_back(std::move(decoder));
  return got;
}

SquashReader::Slot* SquashReader::find_slot(std::uint64_t offset) noexcept {
  const auto it = std::find_if(slots_.begin(), slots_.end(),
                               [&](const Slot& slot) { return slot.offset == offset; });
  return it == slots_.end() ? nullptr : &*it;
}

/// The one that was not asked for the longest; nullptr if all are being read.
SquashReader::Slot* SquashReader::free_slot() noexcept {
  Slot* best = nullptr;
  for (Slot& slot : slots_) {
    if (slot.readers == 0 && !slot.loading && (best == nullptr || slot.used < best->used)) {
      best = &slot;
    }
  }
  return best;
}

FsResult<void> SquashReader::read_through_cache(const Block& block, std::uint32_t from,
                                                std::span<std::byte> data) noexcept {
  std::unique_lock lock(mutex_);
  Slot* slot = find_slot(block.offset);
  if (slot == nullptr) {
    slot = free_slot();
    if (slot == nullptr) {
      lock.unlock();
      return read_alone(block, from, data);
    }
    slot->offset = block.offset;
    slot->loading = true;
    slot->readers = 1;
    if (!slot->bytes) {
      slot->bytes = std::make_unique_for_overwrite<std::byte[]>(squash_.block_size);
    }
    lock.unlock();
    const FsResult<std::size_t> got = load(block, std::span(slot->bytes.get(), squash_.block_size));
    lock.lock();
    slot->size = got ? *got : 0;
    slot->failure = got ? Errno() : got.error();
    slot->loading = false;
    loaded_.notify_all();
  } else {
    ++slot->readers;
    loaded_.wait(lock, [slot] { return !slot->loading; });
  }
  slot->used = ++clock_;
  const std::size_t size = slot->size;
  const Errno failure = slot->failure;
  lock.unlock();
  // The bytes stand still while we are counted as a reader.
  const bool there = size >= std::uint64_t{from} + data.size();
  if (there) {
    std::memcpy(data.data(), slot->bytes.get() + from, data.size());
  }
  lock.lock();
  --slot->readers;
  if (size == 0) {
    slot->offset = 0;  // a failure may be the network's: the next one tries again
  }
  return there ? FsResult<void>() : fail(failure == Errno() ? Errno(EIO) : failure);
}

/// More threads than slots: rare enough to allocate.
FsResult<void> SquashReader::read_alone(const Block& block, std::uint32_t from,
                                        std::span<std::byte> data) noexcept {
  const auto bytes = std::make_unique_for_overwrite<std::byte[]>(squash_.block_size);
  const std::size_t got = SBX_TRY(load(block, std::span(bytes.get(), squash_.block_size)));
  if (got < std::uint64_t{from} + data.size()) {
    return fail(Errno(EIO));
  }
  std::memcpy(data.data(), bytes.get() + from, data.size());
  return {};
}

/// `from`: in the decompressed block.
FsResult<void> SquashReader::read_block(const Block& block, std::uint32_t from,
                                        std::span<std::byte> data) noexcept {
  if (!block.compressed) {
    (void)SBX_TRY(sys::pread_exact(file_, data, block.offset + from));
    return {};
  }
  if (block.skip == 0 && from == 0 && data.size() == block.length &&
      block.length == squash_.block_size) {
    // A whole block, straight to where it is wanted. (A file's last one may be longer than the file's part of it.)
    const std::size_t got = SBX_TRY(load(block, data));
    return got == data.size() ? FsResult<void>() : fail(Errno(EIO));
  }
  return read_through_cache(block, from, data);
}

/// The first block that ends behind `offset`. Files without holes find it at once.
std::uint32_t SquashReader::first_block(TreeIno ino, std::uint64_t offset) const noexcept {
  const std::uint64_t wanted = offset / squash_.block_size;
  std::uint32_t low = 0;
  std::uint32_t high = tree_.extent_count(ino);
  // Block number i lies at `i * block_size` or, with holes before it, further on.
  high = static_cast<std::uint32_t>(std::min<std::uint64_t>(high, wanted + 1));
  if (high != 0) {
    const auto guess = tree_.block(ino, high - 1);
    low = guess && guess->file_offset / squash_.block_size < wanted ? high : low;
    if (guess && guess->file_offset / squash_.block_size == wanted) {
      return high - 1;
    }
  }
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const auto block = tree_.block(ino, middle);
    if (!block || block->file_offset / squash_.block_size < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

FsResult<std::size_t> SquashReader::read(TreeIno ino, std::uint64_t offset,
                                         std::span<std::byte> data) noexcept {
  const std::optional<TreeInode> inode = tree_.inode(ino);
  if (!inode || !S_ISREG(inode->mode)) {
    return fail(Errno(inode && S_ISDIR(inode->mode) ? EISDIR : EINVAL));
  }
  if (offset >= inode->size) {
    return std::size_t{0};
  }
  const std::uint64_t end = offset + std::min<std::uint64_t>(data.size(), inode->size - offset);
  std::uint64_t at = offset;
  for (std::uint32_t i = first_block(ino, offset); at < end; ++i) {
    const Block block = tree_.block(ino, i).value_or(Block{end, 0, 0, 0, 0, true});
    if (const std::uint64_t hole = std::min(block.file_offset, end); at < hole) {
      std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(at - offset), hole - at, std::byte{0});
      at = hole;
    }
    const std::uint64_t block_end = std::min(block.file_offset + block.length, end);
    if (at < block_end) {
      const auto from = static_cast<std::uint32_t>(block.skip + (at - block.file_offset));
      SBX_TRY(read_block(block, from, data.subspan(at - offset, block_end - at)));
      at = block_end;
    }
  }
  return static_cast<std::size_t>(end - offset);
}

Result<std::string> SquashReader::read_file(TreeIno ino, std::size_t max) {
  const std::string name = fmt::format("inode {}", ino);
  const std::optional<TreeInode> inode = tree_.inode(ino);
  if (!inode || !S_ISREG(inode->mode)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "read", name, "it is not a regular file"));
  }
  if (inode->size > max) {
    return fail(Error::make(ErrorCode::kLimit, "read", name,
                            fmt::format("it is larger than {} bytes", max)));
  }
  std::string data(inode->size, '\0');
  const FsResult<std::size_t> done = read(ino, 0, std::as_writable_bytes(std::span(data)));
  if (!done) {
    return fail(Error::system("read", name, done.error().value()));
  }
  return data;
}

}  // namespace sbx::layer
