#include "layer/image_tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "layer/image_tree_format.hpp"
#include "sys/file.hpp"
#include "sys/pread.hpp"

namespace sbx::layer {
namespace {

constexpr int kMaxSymlinks = 40;                // as the kernel's MAXSYMLINKS
constexpr std::uint32_t kMinBlock = 4U << 10U;  // of a squashfs
constexpr std::uint32_t kMaxBlock = 1U << 20U;
constexpr std::size_t kMaxPath = 64U
                                 << 10U;  // of what resolve() still has to walk; PATH_MAX is 4096

Error corrupt(std::string_view name, std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "read image tree", name, std::move(reason));
}

/// Whether `count` records of `size` bytes at `offset` lie in a file of `file_size` bytes.
bool section_fits(std::uint64_t offset, std::uint64_t count, std::uint64_t size,
                  std::uint64_t file_size) {
  return offset % 8 == 0 && offset >= sizeof(format::Header) && offset <= file_size &&
         count <= (file_size - offset) / size;
}

bool sections_fit(const format::Header& h) {
  return section_fits(h.inodes_offset, h.inode_count, sizeof(format::InodeRecord), h.file_size) &&
         section_fits(h.dirents_offset, h.dirent_count, sizeof(format::DirentRecord),
                      h.file_size) &&
         section_fits(h.xattr_sets_offset, h.xattr_set_count, sizeof(format::XattrSetRecord),
                      h.file_size) &&
         section_fits(h.xattrs_offset, h.xattr_count, sizeof(format::XattrRecord), h.file_size) &&
         section_fits(h.extents_offset, h.extent_count, sizeof(format::ExtentRecord),
                      h.file_size) &&
         section_fits(h.layers_offset, h.layer_count, sizeof(format::LayerRecord), h.file_size) &&
         section_fits(h.strings_offset, h.string_bytes, 1, h.file_size);
}

bool squash_fits(const format::Header& h) {
  if ((h.flags & format::kHeaderSquash) == 0) {
    return h.block_size == 0 && h.compression == 0;
  }
  return std::has_single_bit(h.block_size) && h.block_size >= kMinBlock &&
         h.block_size <= kMaxBlock && h.layer_count == 1;
}

Result<format::Header> read_header(std::span<const std::byte> bytes, std::string_view name) {
  format::Header header{};
  if (bytes.size() < sizeof header) {
    return fail(corrupt(name, fmt::format("{} bytes are too few", bytes.size())));
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != format::kMagic) {
    return fail(corrupt(name, "it is no image tree"));
  }
  if (header.version != format::kVersion || header.header_size != sizeof header ||
      (header.flags & ~format::kHeaderSquash) != 0) {
    return fail(Error::make(
        ErrorCode::kUnsupported, "read image tree", name,
        fmt::format("format version {}, this program reads {}", header.version, format::kVersion)));
  }
  if (header.file_size != bytes.size()) {
    return fail(corrupt(
        name, fmt::format("it should have {} bytes and has {}", header.file_size, bytes.size())));
  }
  if (!squash_fits(header)) {
    return fail(corrupt(name, "its block size is none"));
  }
  if (!sections_fit(header) || header.inode_count == 0) {
    return fail(corrupt(name, "a section lies outside of the file"));
  }
  return header;
}

/// The next component of `path` and what follows it; repeated slashes are skipped.
std::string_view take_component(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

}  // namespace

Result<ImageTree> ImageTree::open(sys::Fd file, std::string_view name) {
  const struct stat st = SBX_TRY(sys::stat_fd(file.get(), name));
  if (!S_ISREG(st.st_mode)) {
    return fail(corrupt(name, "it is not a regular file"));
  }
  sys::Mapping mapping =
      SBX_TRY(sys::Mapping::map_readonly(file.get(), static_cast<std::size_t>(st.st_size), name));
  ImageTree tree = SBX_TRY(over(mapping.bytes(), name));
  tree.mapping_ = std::move(mapping);
  return tree;
}

Result<ImageTree> ImageTree::over(std::span<const std::byte> bytes, std::string_view name) {
  const format::Header header = SBX_TRY(read_header(bytes, name));
  ImageTree tree;
  tree.bytes_ = bytes;
  tree.inode_count_ = header.inode_count;
  tree.dirent_count_ = header.dirent_count;
  tree.xattr_set_count_ = header.xattr_set_count;
  tree.xattr_count_ = header.xattr_count;
  tree.layer_count_ = header.layer_count;
  tree.extent_count_ = header.extent_count;
  tree.string_bytes_ = header.string_bytes;
  tree.inodes_ = header.inodes_offset;
  tree.dirents_ = header.dirents_offset;
  tree.xattr_sets_ = header.xattr_sets_offset;
  tree.xattrs_ = header.xattrs_offset;
  tree.extents_ = header.extents_offset;
  tree.layers_ = header.layers_offset;
  tree.strings_ = header.strings_offset;
  tree.squash_ = {header.block_size, header.compression};
  tree.chain_id_ = oci::ChainId(header.chain_id);
  if (!tree.directory_record(kTreeRoot)) {
    return fail(corrupt(name, "its root is not a directory"));
  }
  return tree;
}

/// `index` must have been compared with the section's count; the sections were compared with the file in over().
template <class Record>
Record ImageTree::record(std::uint64_t section, std::uint64_t index) const noexcept {
  Record out;
  std::memcpy(&out, bytes_.data() + section + index * sizeof(Record), sizeof out);
  return out;
}

std::optional<format::InodeRecord> ImageTree::inode_record(TreeIno ino) const noexcept {
  if (ino == kNoInode || ino > inode_count_) {
    return std::nullopt;
  }
  return record<format::InodeRecord>(inodes_, ino - 1);
}

/// As inode_record, for directories whose entries lie inside of the table.
std::optional<format::InodeRecord> ImageTree::directory_record(TreeIno ino) const noexcept {
  const std::optional<format::InodeRecord> inode = inode_record(ino);
  if (!inode || !S_ISDIR(inode->mode) || inode->data > dirent_count_ ||
      inode->count > dirent_count_ - inode->data) {
    return std::nullopt;
  }
  return inode;
}

std::optional<std::string_view> ImageTree::string(std::uint64_t offset,
                                                  std::uint64_t size) const noexcept {
  if (offset > string_bytes_ || size > string_bytes_ - offset) {
    return std::nullopt;
  }
  return std::string_view(reinterpret_cast<const char*>(bytes_.data() + strings_ + offset), size);
}

std::optional<TreeInode> ImageTree::inode(TreeIno ino) const noexcept {
  const std::optional<format::InodeRecord> r = inode_record(ino);
  if (!r) {
    return std::nullopt;
  }
  TreeInode out;
  out.mode = r->mode;
  out.uid = r->uid;
  out.gid = r->gid;
  out.nlink = r->nlink;
  out.size = r->size;
  out.mtime_sec = r->mtime_sec;
  out.mtime_nsec = std::min<std::uint32_t>(r->mtime_nsec, 999'999'999);
  out.layer = r->layer;
  out.sparse = S_ISREG(r->mode) && (r->flags & format::kInodeSparse) != 0;
  out.has_xattrs = xattr_count(ino) != 0;
  if (S_ISREG(r->mode) && !out.sparse) {
    out.data_offset = r->data;
  } else if (S_ISCHR(r->mode) || S_ISBLK(r->mode)) {
    out.rdev = r->data;
  }
  return out;
}

/// `index` < dirent_count_. An entry that points outside has ino kNoInode.
ImageTree::DirEntry ImageTree::dirent(std::uint64_t index) const noexcept {
  const auto r = record<format::DirentRecord>(dirents_, index);
  const std::optional<std::string_view> name = string(r.name, r.name_size);
  if (!name || r.ino > inode_count_) {
    return {};
  }
  return {*name, r.ino};
}

TreeIno ImageTree::lookup(TreeIno dir, std::string_view name) const noexcept {
  const std::optional<format::InodeRecord> r = directory_record(dir);
  if (!r) {
    return kNoInode;
  }
  std::uint64_t low = r->data;
  std::uint64_t high = r->data + r->count;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const DirEntry found = dirent(middle);
    const int order = name.compare(found.name);
    if (order == 0) {
      return found.ino;
    }
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return kNoInode;
}

std::uint32_t ImageTree::entry_count(TreeIno dir) const noexcept {
  const std::optional<format::InodeRecord> r = directory_record(dir);
  return r ? r->count : 0;
}

std::optional<ImageTree::DirEntry> ImageTree::entry(TreeIno dir,
                                                    std::uint32_t index) const noexcept {
  const std::optional<format::InodeRecord> r = directory_record(dir);
  if (!r || index >= r->count) {
    return std::nullopt;
  }
  const DirEntry found = dirent(r->data + index);
  return found.ino == kNoInode ? std::nullopt : std::optional(found);
}

TreeIno ImageTree::parent(TreeIno dir) const noexcept {
  const std::optional<format::InodeRecord> r = directory_record(dir);
  return r && r->parent <= inode_count_ ? r->parent : kNoInode;
}

TreeIno ImageTree::home(TreeIno ino) const noexcept {
  const std::optional<format::InodeRecord> r = inode_record(ino);
  return r && r->parent <= inode_count_ ? r->parent : kNoInode;
}

std::string_view ImageTree::symlink_target(TreeIno ino) const noexcept {
  const std::optional<format::InodeRecord> r = inode_record(ino);
  if (!r || !S_ISLNK(r->mode)) {
    return {};
  }
  return string(r->data, r->size).value_or(std::string_view());
}

std::uint32_t ImageTree::xattr_count(TreeIno ino) const noexcept {
  const std::optional<format::InodeRecord> r = inode_record(ino);
  if (!r || r->xattr_set == 0 || r->xattr_set > xattr_set_count_) {
    return 0;
  }
  const auto set = record<format::XattrSetRecord>(xattr_sets_, r->xattr_set - 1);
  return set.first <= xattr_count_ && set.count <= xattr_count_ - set.first ? set.count : 0;
}

std::optional<ImageTree::Xattr> ImageTree::xattr(TreeIno ino, std::uint32_t index) const noexcept {
  if (index >= xattr_count(ino)) {
    return std::nullopt;
  }
  const auto set = record<format::XattrSetRecord>(xattr_sets_, inode_record(ino)->xattr_set - 1);
  const auto r = record<format::XattrRecord>(xattrs_, set.first + index);
  const std::optional<std::string_view> name = string(r.name, r.name_size);
  const std::optional<std::string_view> value = string(r.value, r.value_size);
  return name && value ? std::optional(Xattr{*name, *value}) : std::nullopt;
}

std::optional<std::string_view> ImageTree::find_xattr(TreeIno ino,
                                                      std::string_view name) const noexcept {
  const std::uint32_t count = xattr_count(ino);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::optional<Xattr> found = xattr(ino, i);
    if (found && found->name == name) {
      return found->value;
    }
  }
  return std::nullopt;
}

std::uint32_t ImageTree::extent_count(TreeIno ino) const noexcept {
  const std::optional<format::InodeRecord> r = inode_record(ino);
  const bool sparse = r && S_ISREG(r->mode) && (r->flags & format::kInodeSparse) != 0;
  return sparse && r->data <= extent_count_ && r->count <= extent_count_ - r->data ? r->count : 0;
}

std::optional<ImageTree::Extent> ImageTree::extent(TreeIno ino,
                                                   std::uint32_t index) const noexcept {
  if (index >= extent_count(ino)) {
    return std::nullopt;
  }
  if (squash_.block_size != 0) {
    const Block b = block(ino, index).value_or(Block{});
    return Extent{b.file_offset, b.length, b.offset};
  }
  const auto r = record<format::ExtentRecord>(extents_, inode_record(ino)->data + index);
  return Extent{r.file_offset, r.length, r.tar_offset};
}

std::optional<ImageTree::Block> ImageTree::block(TreeIno ino, std::uint32_t index) const noexcept {
  if (index >= extent_count(ino) || squash_.block_size == 0) {
    return std::nullopt;
  }
  const format::InodeRecord inode = *inode_record(ino);
  const auto r = record<format::ExtentRecord>(extents_, inode.data + index);
  const auto packed = static_cast<std::uint32_t>(r.length);
  Block out;
  out.file_offset = r.file_offset;
  out.offset = r.tar_offset;
  out.stored = packed & format::kBlockSizeMask;
  out.skip = static_cast<std::uint32_t>(r.length >> 32U);
  out.compressed = (packed & format::kBlockPlain) == 0;
  const std::uint64_t rest = inode.size - std::min(inode.size, r.file_offset);
  const std::uint32_t room = squash_.block_size - std::min(squash_.block_size, out.skip);
  out.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(rest, room));
  return out;
}

oci::DiffId ImageTree::layer(std::uint32_t index) const noexcept {
  if (index >= layer_count_) {
    return {};
  }
  return oci::DiffId(record<format::LayerRecord>(layers_, index).diff_id);
}

std::uint64_t ImageTree::layer_size(std::uint32_t index) const noexcept {
  return index < layer_count_ ? record<format::LayerRecord>(layers_, index).tar_size : 0;
}

TreeIno ImageTree::resolve(std::string_view path) const {
  TreeIno at = kTreeRoot;
  std::string held;  // what `path` views once a symlink was put in front of it
  for (int symlinks = 0;;) {
    const std::string_view name = take_component(path);
    if (name.empty()) {
      return at;
    }
    if (name == "." || name == "..") {
      at = name == ".." ? parent(at) : at;
      if (!directory_record(at)) {
        return kNoInode;
      }
      continue;
    }
    const TreeIno next = lookup(at, name);
    const std::optional<format::InodeRecord> r = inode_record(next);
    if (!r) {
      return kNoInode;
    }
    if (!S_ISLNK(r->mode)) {
      at = next;
      continue;
    }
    const std::string_view target = symlink_target(next);
    if (target.empty() || ++symlinks > kMaxSymlinks || target.size() + path.size() > kMaxPath) {
      return kNoInode;
    }
    held = fmt::format("{}/{}", target, path);  // made anew first: `path` may view the old one
    path = held;
    at = target.front() == '/' ? kTreeRoot : at;
  }
}

FsResult<std::size_t> ImageTree::read(TreeIno ino, std::uint64_t offset, std::span<std::byte> data,
                                      std::span<const sys::Fd> layers) const noexcept {
  const std::optional<TreeInode> inode = this->inode(ino);
  if (!inode || !S_ISREG(inode->mode)) {
    return fail(Errno(inode && S_ISDIR(inode->mode) ? EISDIR : EINVAL));
  }
  if (inode->layer >= layers.size() || squash_.block_size != 0) {
    return fail(Errno(EIO));
  }
  if (offset >= inode->size) {
    return std::size_t{0};
  }
  data = data.first(std::min<std::uint64_t>(data.size(), inode->size - offset));
  const int tar = layers[inode->layer].get();
  if (inode->sparse) {
    return read_sparse(ino, *inode, offset, data, tar);
  }
  return sys::pread_exact(tar, data, inode->data_offset + offset);
}

FsResult<std::size_t> ImageTree::read_sparse(TreeIno ino, const TreeInode& inode,
                                             std::uint64_t offset, std::span<std::byte> data,
                                             int tar) const noexcept {
  std::fill(data.begin(), data.end(), std::byte{0});
  const std::uint64_t end = std::min(offset + data.size(), inode.size);
  const std::uint32_t count = extent_count(ino);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Extent e = extent(ino, i).value_or(Extent{});
    const std::uint64_t from = std::max(e.file_offset, offset);
    const std::uint64_t to = std::min(e.file_offset + e.length, end);
    if (e.file_offset >= end) {
      break;
    }
    if (from < to) {
      const auto part = data.subspan(from - offset, to - from);
      (void)SBX_TRY(sys::pread_exact(tar, part, e.tar_offset + (from - e.file_offset)));
    }
  }
  return data.size();
}

Result<std::string> ImageTree::read_file(TreeIno ino, std::span<const sys::Fd> layers,
                                         std::size_t max) const {
  const std::string name = fmt::format("inode {}", ino);
  const std::optional<TreeInode> inode = this->inode(ino);
  if (!inode || !S_ISREG(inode->mode)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "read", name, "it is not a regular file"));
  }
  if (inode->size > max) {
    return fail(Error::make(ErrorCode::kLimit, "read", name,
                            fmt::format("it is larger than {} bytes", max)));
  }
  std::string data(inode->size, '\0');
  const FsResult<std::size_t> done = read(ino, 0, std::as_writable_bytes(std::span(data)), layers);
  if (!done) {
    return fail(Error::system("read", name, done.error().value()));
  }
  return data;
}

}  // namespace sbx::layer
