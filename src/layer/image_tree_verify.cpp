// ImageTree::verify(): every invariant of sbx-image-tree(5), for `sbx system check` and the tests. Loops
// cannot pass, because a directory's number must be greater than its parent's.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "layer/crc32c.hpp"
#include "layer/image_tree.hpp"
#include "layer/image_tree_format.hpp"

namespace sbx::layer {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kTargetMax = 4095;

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::uint32_t checksum_of(std::span<const std::byte> bytes) {
  constexpr std::size_t kAt = offsetof(format::Header, checksum);
  constexpr std::array<std::byte, sizeof(std::uint32_t)> kZero{};
  std::uint32_t crc = crc32c(0, bytes.first(kAt));
  crc = crc32c(crc, kZero);
  return crc32c(crc, bytes.subspan(kAt + kZero.size()));
}

}  // namespace

struct ImageTree::Checker {
  const ImageTree& tree;
  std::vector<std::uint32_t> names;  // per inode: how many entries lead to it
  std::vector<std::uint32_t> subdirs;
  std::uint64_t entries = 0;

  explicit Checker(const ImageTree& checked)
      : tree(checked), names(checked.inode_count() + 1U), subdirs(checked.inode_count() + 1U) {}

  static Unexpected<Error> broken(TreeIno ino, std::string_view what) {
    return fail(Error::make(ErrorCode::kCorrupt, "verify image tree", fmt::format("inode {}", ino),
                            std::string(what)));
  }

  Result<void> check_header() const {
    format::Header header{};
    std::memcpy(&header, tree.bytes_.data(), sizeof header);
    if (header.checksum != checksum_of(tree.bytes_)) {
      return fail(Error::make(ErrorCode::kCorrupt, "verify image tree", header.magic.data(),
                              "the checksum does not match"));
    }
    if (header.reserved != 0 || header.unused != decltype(header.unused){}) {
      return fail(Error::make(ErrorCode::kCorrupt, "verify image tree", "header",
                              "reserved bytes are set"));
    }
    return {};
  }

  Result<void> check_entries(TreeIno dir, const format::InodeRecord& r) {
    entries += r.count;
    std::string_view before;
    for (std::uint32_t i = 0; i < r.count; ++i) {
      const std::optional<DirEntry> e = tree.entry(dir, i);
      if (!e || !valid_name(e->name) || (i > 0 && e->name <= before)) {
        return broken(dir, "a directory entry is not valid or not in order");
      }
      before = e->name;
      const bool first = ++names[e->ino] == 1;
      const std::optional<format::InodeRecord> child = tree.inode_record(e->ino);
      if (child && !S_ISDIR(child->mode) && first && child->parent != kNoInode &&
          child->parent != dir) {
        return broken(e->ino, "it does not know the directory of its first name");
      }
      if (child && S_ISDIR(child->mode)) {
        ++subdirs[dir];
        if (child->parent != dir || e->ino <= dir) {
          return broken(e->ino, "it does not know its parent directory");
        }
      }
    }
    return {};
  }

  Result<void> check_file(TreeIno ino, const format::InodeRecord& r) const {
    const std::uint64_t tar = tree.layer_size(r.layer);
    if ((r.flags & format::kInodeSparse) == 0) {
      return !tree.squash() && r.data <= tar && r.size <= tar - r.data
                 ? Result<void>()
                 : broken(ino, "its data lies outside of the tar");
    }
    if (tree.extent_count(ino) != r.count) {
      return broken(ino, "its extents lie outside of the table");
    }
    if (tree.squash()) {
      return check_blocks(ino, r);
    }
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < r.count; ++i) {
      const Extent e = *tree.extent(ino, i);
      const bool in_file =
          e.file_offset >= end && e.file_offset <= r.size && e.length <= r.size - e.file_offset;
      if (!in_file || e.tar_offset > tar || e.length > tar - e.tar_offset) {
        return broken(ino, "an extent is out of order or outside of the tar");
      }
      end = e.file_offset + e.length;
    }
    return {};
  }

  Result<void> check_blocks(TreeIno ino, const format::InodeRecord& r) const {
    const std::uint64_t file = tree.layer_size(r.layer);
    const std::uint64_t size = tree.squash()->block_size;
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < r.count; ++i) {
      const Block b = *tree.block(ino, i);
      const bool whole = b.length == std::min(size, r.size - std::min(r.size, b.file_offset));
      const bool stored = b.stored != 0 && b.stored <= size &&
                          (b.compressed || std::uint64_t{b.skip} + b.length <= b.stored);
      if (b.file_offset < end || b.file_offset % size != 0 || b.length == 0 || !whole || !stored ||
          b.offset > file || b.stored > file - b.offset) {
        return broken(ino, "a block is out of order or outside of the squashfs");
      }
      end = b.file_offset + size;
    }
    return {};
  }

  Result<void> check_symlink(TreeIno ino, const format::InodeRecord& r) const {
    const std::string_view target = tree.symlink_target(ino);
    const bool good = !target.empty() && target.size() == r.size && target.size() <= kTargetMax &&
                      target.find('\0') == std::string_view::npos;
    return good ? Result<void>() : broken(ino, "its symlink target is not valid");
  }

  Result<void> check_xattrs(TreeIno ino, const format::InodeRecord& r) const {
    if (r.xattr_set > tree.xattr_set_count_) {
      return broken(ino, "its xattrs lie outside of the table");
    }
    for (std::uint32_t i = 0; i < tree.xattr_count(ino); ++i) {
      const std::optional<Xattr> x = tree.xattr(ino, i);
      if (!x || x->name.empty() || x->name.size() > kNameMax) {
        return broken(ino, "an xattr is not valid");
      }
    }
    return {};
  }

  Result<void> check_inode(TreeIno ino) {
    const format::InodeRecord r = *tree.inode_record(ino);
    if (r.mtime_nsec > 999'999'999 || (r.flags & ~format::kInodeSparse) != 0 ||
        (r.layer >= tree.layer_count_ && tree.layer_count_ != 0)) {
      return broken(ino, "a field is out of range");
    }
    SBX_TRY(check_xattrs(ino, r));
    switch (r.mode & S_IFMT) {
      case S_IFDIR:
        if (!tree.directory_record(ino)) {
          return broken(ino, "its entries lie outside of the table");
        }
        return check_entries(ino, r);
      case S_IFREG:
        return check_file(ino, r);
      case S_IFLNK:
        return check_symlink(ino, r);
      case S_IFCHR:
      case S_IFBLK:
      case S_IFIFO:
      case S_IFSOCK:
        return {};
      default:
        return broken(ino, "it has no known type");
    }
  }

  Result<void> check_links() const {
    for (TreeIno ino = 1; ino <= tree.inode_count(); ++ino) {
      const format::InodeRecord r = *tree.inode_record(ino);
      const bool dir = S_ISDIR(r.mode);
      const std::uint32_t wanted_names = dir ? (ino == kTreeRoot ? 0 : 1) : r.nlink;
      if (names[ino] != wanted_names || wanted_names + (ino == kTreeRoot ? 1U : 0U) == 0) {
        return broken(ino, "its number of names is wrong");
      }
      if (dir && (r.nlink != 2 + subdirs[ino] || (ino == kTreeRoot && r.parent != kTreeRoot))) {
        return broken(ino, "its link count is wrong");
      }
    }
    return {};
  }
};

Result<void> ImageTree::verify() const {
  Checker checker(*this);
  SBX_TRY(checker.check_header());
  for (TreeIno ino = 1; ino <= inode_count_; ++ino) {
    SBX_TRY(checker.check_inode(ino));
    if (checker.entries > dirent_count_) {
      return Checker::broken(ino, "directories share entries");
    }
  }
  if (checker.entries != dirent_count_) {
    return Checker::broken(kTreeRoot, "entries belong to no directory");
  }
  return checker.check_links();
}

}  // namespace sbx::layer
