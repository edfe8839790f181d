#include "overlay/core/lower_tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "overlay/core/copy_range.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace {

using layer::TreeIno;

// Who looks at everything (find, tar) touches all of the tree, some 80 bytes a file, and does not come back soon: batch systems count what
// is mapped. After so many files the pages are let go of; who comes back finds them in the page cache.
constexpr std::uint32_t kReleaseEvery = 1U << 14U;

TreeIno tree_ino(LowerRef ref) noexcept {
  return ref.get() > std::numeric_limits<TreeIno>::max() ? layer::kNoInode
                                                         : static_cast<TreeIno>(ref.get());
}

}  // namespace

Result<std::unique_ptr<LowerTree>> LowerTree::make(layer::ImageTree tree,
                                                   std::vector<sys::Fd> layers) {
  if (layers.size() != tree.layer_count()) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "serve image", "", "wrong number of layers"));
  }
  auto counters = LookupCounters::make_memory(std::size_t{tree.inode_count()} + 1);
  if (!counters) {
    return fail(Error::system("map memory for", "inode counters", counters.error().value()));
  }
  return std::unique_ptr<LowerTree>(
      new LowerTree(std::move(tree), std::move(layers), std::move(*counters)));
}

LowerTree::LowerTree(layer::ImageTree tree, std::vector<sys::Fd> layers,
                     sys::AnonymousBuffer counters)
    : tree_(std::move(tree)), layers_(std::move(layers)), counters_(std::move(counters)) {
  if (tree_.squash() && !layers_.empty()) {
    squash_.emplace(tree_, layers_.front().get());
  }
}

Result<void> LowerTree::prepare() { return squash_ ? squash_->prepare() : Result<void>(); }

FsResult<LowerPin> LowerTree::lookup(LowerRef dir, std::string_view name) noexcept {
  const TreeIno found = tree_.lookup(tree_ino(dir), name);
  if (found == layer::kNoInode) {
    return no(ENOENT);
  }
  return LowerPin(*this, LowerRef(found));
}

FsResult<std::uint32_t> LowerTree::probe(LowerRef dir, std::string_view name) noexcept {
  const TreeIno found = tree_.lookup(tree_ino(dir), name);
  const auto inode = tree_.inode(found);
  if (!inode) {
    return no(ENOENT);
  }
  return inode->mode & S_IFMT;
}

FsResult<Attr> LowerTree::attr(LowerRef ref) noexcept {
  if (asked_.fetch_add(1, std::memory_order_relaxed) % kReleaseEvery == kReleaseEvery - 1) {
    tree_.release_pages();
  }
  const auto inode = tree_.inode(tree_ino(ref));
  if (!inode) {
    return no(ESTALE);
  }
  Attr attr;
  attr.ino = ref.get();
  attr.mode = inode->mode;
  attr.nlink = inode->nlink;
  attr.owner = {inode->uid, inode->gid};
  attr.rdev = inode->rdev;
  attr.size = inode->size;
  std::uint64_t stored = inode->size;
  if (inode->sparse) {
    // A squashfs has as many blocks as the file has but for the holes; its compressed size is nobody's business here.
    const std::uint64_t most =
        squash_ ? std::uint64_t{tree_.extent_count(tree_ino(ref))} * tree_.squash()->block_size : 0;
    stored = std::min(inode->size, most);
    const std::uint32_t extents = tree_.extent_count(tree_ino(ref));
    for (std::uint32_t i = 0; !squash_ && i < extents; ++i) {
      const auto extent = tree_.extent(tree_ino(ref), i);
      stored += extent ? extent->length : 0;
    }
  }
  attr.blocks =
      S_ISREG(inode->mode) || S_ISDIR(inode->mode) ? stored / 512 + (stored % 512 != 0 ? 1 : 0) : 0;
  attr.mtime = {inode->mtime_sec, static_cast<long>(inode->mtime_nsec)};
  attr.atime = attr.mtime;
  attr.ctime = attr.mtime;
  return attr;
}

FsResult<std::string> LowerTree::read_link(LowerRef ref) noexcept {
  const std::string_view target = tree_.symlink_target(tree_ino(ref));
  if (target.empty()) {
    return no(EINVAL);
  }
  return std::string(target);
}

FsResult<std::size_t> LowerTree::read(LowerRef ref, std::uint64_t offset,
                                      std::span<std::byte> data) noexcept {
  if (squash_) {
    return squash_->read(tree_ino(ref), offset, data);
  }
  const std::size_t got = SBX_TRY(tree_.read(tree_ino(ref), offset, data, layers_));
  // Large files must not lie in the page cache twice, as the tar's pages and as the served file's. Small ones may:
  // the next container that starts reads the same programs and libraries, through a cache of its own.
  constexpr std::uint64_t kLarge = 16 << 20;
  // Only what lies in the range as a whole is dropped, and the page cache reads ahead in pieces (folios) of up to 2 MiB (ext4 since
  // Linux 6.16): what was left of the piece before goes with this one.
  constexpr std::uint64_t kPiece = 4 << 20;
  const auto inode = tree_.inode(tree_ino(ref));
  if (inode && inode->size >= kLarge && !inode->sparse) {
    const std::uint64_t back = std::min(offset, kPiece);
    sys::at::drop_cache(layers_[inode->layer].get(), inode->data_offset + offset - back,
                        got + back);
  }
  return got;
}

FsResult<std::uint64_t> LowerTree::seek(LowerRef ref, std::uint64_t offset, int whence) noexcept {
  const auto inode = tree_.inode(tree_ino(ref));
  if (!inode || !S_ISREG(inode->mode)) {
    return no(EINVAL);
  }
  if (offset >= inode->size) {
    return no(ENXIO);
  }
  if (!inode->sparse) {
    return whence == SEEK_DATA ? offset : inode->size;
  }
  std::uint64_t at = offset;  // for SEEK_HOLE: end of the run of extents that covers `offset`
  const std::uint32_t extents = tree_.extent_count(tree_ino(ref));
  for (std::uint32_t i = 0; i < extents; ++i) {
    const auto extent = tree_.extent(tree_ino(ref), i);
    if (!extent || extent->length == 0 || extent->file_offset + extent->length <= at) {
      continue;
    }
    if (whence == SEEK_DATA) {
      return std::max(at, extent->file_offset);
    }
    if (extent->file_offset > at) {
      return at;
    }
    at = extent->file_offset + extent->length;
  }
  if (whence == SEEK_DATA) {
    return no(ENXIO);
  }
  return std::min(at, inode->size);
}

FsResult<void> LowerTree::copy_data(LowerRef ref, int to, std::uint64_t length) noexcept {
  const auto inode = tree_.inode(tree_ino(ref));
  if (!inode || !S_ISREG(inode->mode) || inode->layer >= layers_.size()) {
    return no(EIO);
  }
  const int tar = layers_[inode->layer].get();
  length = std::min(length, inode->size);
  if (squash_) {
    return copy_blocks(tree_ino(ref), to, length);
  }
  if (!inode->sparse) {
    return copy_range(tar, inode->data_offset, to, 0, length);
  }
  const std::uint32_t extents = tree_.extent_count(tree_ino(ref));
  for (std::uint32_t i = 0; i < extents; ++i) {
    const auto extent = tree_.extent(tree_ino(ref), i);
    if (extent && extent->file_offset < length) {
      SBX_TRY(copy_range(tar, extent->tar_offset, to, extent->file_offset,
                         std::min(extent->length, length - extent->file_offset)));
    }
  }
  return {};
}

/// Block by block, so that holes stay holes and no block is decompressed twice.
FsResult<void> LowerTree::copy_blocks(TreeIno ino, int to, std::uint64_t length) noexcept {
  std::vector<std::byte> buffer(tree_.squash()->block_size);
  const std::uint32_t blocks = tree_.extent_count(ino);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const auto block = tree_.block(ino, i);
    if (block && block->file_offset < length) {
      const auto part = std::span(buffer).first(
          std::min<std::uint64_t>(block->length, length - block->file_offset));
      (void)SBX_TRY(squash_->read(ino, block->file_offset, part));
      SBX_TRY(sys::at::pwrite_full(to, part, block->file_offset));
    }
  }
  return {};
}

FsResult<void> LowerTree::list(LowerRef dir, std::uint64_t index, EntrySink& sink) noexcept {
  const std::uint32_t entries = tree_.entry_count(tree_ino(dir));
  for (; index < entries; ++index) {
    const auto entry = tree_.entry(tree_ino(dir), static_cast<std::uint32_t>(index));
    const auto inode = entry ? tree_.inode(entry->ino) : std::nullopt;
    if (inode && !sink.take(index, entry->name, entry->ino, inode->mode & S_IFMT)) {
      break;
    }
  }
  return {};
}

FsResult<std::string> LowerTree::xattr(LowerRef ref, std::string_view name) noexcept {
  const auto value = tree_.find_xattr(tree_ino(ref), name);
  if (!value) {
    return no(ENODATA);
  }
  return std::string(*value);
}

FsResult<std::vector<std::string>> LowerTree::xattr_names(LowerRef ref) noexcept {
  std::vector<std::string> names;
  const std::uint32_t count = tree_.xattr_count(tree_ino(ref));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (const auto entry = tree_.xattr(tree_ino(ref), i)) {
      names.emplace_back(entry->name);
    }
  }
  return names;
}

void LowerTree::index_places() {
  first_place_.resize(std::size_t{tree_.inode_count()} + 1);
  for (TreeIno dir = 1; dir <= tree_.inode_count(); ++dir) {
    const std::uint32_t entries = tree_.entry_count(dir);
    for (std::uint32_t i = 0; i < entries; ++i) {
      const auto entry = tree_.entry(dir, i);
      if (!entry || entry->ino > tree_.inode_count()) {
        continue;
      }
      Position& first = first_place_[entry->ino];
      if (first.dir == layer::kNoInode) {
        first = {dir, i};
      } else {
        more_places_.emplace(entry->ino, Position{dir, i});
      }
    }
  }
}

/// The only name of a file or directory, without the index: most sandboxes copy up little, and an index of an image of a million
/// files takes 50 ms and 100 MB. nullopt if it has several or the search does not pay any more.
std::optional<LowerTree::Position> LowerTree::find_place(TreeIno ino) {
  const auto inode = tree_.inode(ino);
  const TreeIno home = tree_.home(ino);
  const std::uint32_t entries = tree_.entry_count(home);
  const bool several = inode && !S_ISDIR(inode->mode) && inode->nlink != 1;
  if (several || searched_ + entries > tree_.inode_count()) {
    return std::nullopt;
  }
  searched_ += entries;
  for (std::uint32_t i = 0; i < entries; ++i) {
    if (const auto entry = tree_.entry(home, i); entry && entry->ino == ino) {
      return Position{home, i};
    }
  }
  return std::nullopt;
}

FsResult<std::vector<Lower::Place>> LowerTree::places(LowerRef ref) noexcept {
  const TreeIno ino = tree_ino(ref);
  if (ino <= layer::kTreeRoot || ino > tree_.inode_count()) {
    return no(ENOENT);
  }
  std::vector<Place> places;
  const auto add = [&](Position position) {
    const auto entry = tree_.entry(position.dir, position.index);
    if (entry) {
      places.push_back({LowerRef(position.dir), std::string(entry->name)});
    }
  };
  const std::lock_guard lock(places_mutex_);
  if (first_place_.empty()) {
    if (const std::optional<Position> only = find_place(ino)) {
      add(*only);
      return places;
    }
    index_places();
  }
  add(first_place_[ino]);
  const auto [begin, end] = more_places_.equal_range(ino);
  for (auto it = begin; it != end; ++it) {
    add(it->second);
  }
  if (places.empty()) {
    return no(ENOENT);
  }
  return places;
}

FsResult<LowerRef> LowerTree::parent(LowerRef dir) noexcept {
  const TreeIno above = tree_.parent(tree_ino(dir));
  return above != layer::kNoInode && dir != kLowerRoot ? FsResult<LowerRef>(LowerRef(above))
                                                       : no(ENOENT);
}

FsResult<LowerPin> LowerTree::by_number(std::uint64_t ino) noexcept {
  if (!valid(LowerRef(ino))) {
    return no(ENOENT);
  }
  return LowerPin(*this, LowerRef(ino));
}

std::uint64_t LowerTree::number_for_upper(std::uint64_t, std::uint64_t ino) noexcept {
  // Small numbers: programs built without large file support cannot stat an inode number above 2^32.
  return tree_.inode_count() + ino;
}

void LowerTree::add_lookups(LowerRef ref, std::uint64_t count) noexcept {
  if (valid(ref)) {
    counters_.add(ref.get(), count);
  }
}

std::uint64_t LowerTree::drop_lookups(LowerRef ref, std::uint64_t count) noexcept {
  return valid(ref) ? counters_.drop(ref.get(), count) : 0;
}

std::uint64_t LowerTree::lookups(LowerRef ref) noexcept {
  return valid(ref) ? counters_.get(ref.get()) : 0;
}

bool LowerTree::valid(LowerRef ref) noexcept {
  return ref.get() >= 1 && ref.get() <= tree_.inode_count();
}

void LowerTree::release_memory() noexcept {
  counters_.release_zeros();
  tree_.release_pages();
  const std::lock_guard lock(places_mutex_);
  first_place_ = {};  // 8 bytes for each file of the image
  more_places_ = {};
  searched_ = 0;
}

}  // namespace sbx::overlay
