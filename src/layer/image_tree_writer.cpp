// MergedTree::write(). The inodes are numbered breadth first, directory by directory, so that what
// readdir shows together lies together, and so that a directory's number is greater than its parent's.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "layer/crc32c.hpp"
#include "layer/merged_tree.hpp"
#include "sys/file.hpp"

namespace sbx::layer {
namespace {

constexpr std::uint64_t align8(std::uint64_t offset) { return (offset + 7U) & ~std::uint64_t{7}; }

/// The tables of the file, filled by walking the tree once.
class Tables {
 public:
  explicit Tables(const MergedTree& tree) : tree_(tree), number_(tree.inodes().size()) {}

  Result<void> fill() {
    add_xattr_sets();
    number_[tree_.nodes().node(NodeTable::kRoot).inode] = kTreeRoot;
    inodes_.push_back(copy_inode(tree_.nodes().node(NodeTable::kRoot).inode));
    inodes_.front().parent = kTreeRoot;
    directories_.push_back({NodeTable::kRoot, kTreeRoot});
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      add_directory(directories_[i].first, directories_[i].second);
    }
    if (strings_.size() > UINT32_MAX) {
      return fail(
          Error::make(ErrorCode::kLimit, "write image tree", "", "more than 4 GiB of names"));
    }
    return {};
  }

  [[nodiscard]] format::Header header(const oci::ChainId& chain_id) const {
    format::Header h{};
    h.magic = format::kMagic;
    h.version = format::kVersion;
    h.header_size = sizeof h;
    h.chain_id = chain_id.bytes();
    h.inode_count = static_cast<std::uint32_t>(inodes_.size());
    h.dirent_count = static_cast<std::uint32_t>(dirents_.size());
    h.xattr_set_count = static_cast<std::uint32_t>(xattr_sets_.size());
    h.xattr_count = static_cast<std::uint32_t>(xattrs_.size());
    h.layer_count = static_cast<std::uint32_t>(tree_.layers().size());
    h.extent_count = extents_.size();
    h.string_bytes = strings_.size();
    h.inodes_offset = sizeof h;
    h.dirents_offset = align8(h.inodes_offset + inodes_.size() * sizeof(format::InodeRecord));
    h.xattr_sets_offset = align8(h.dirents_offset + dirents_.size() * sizeof(format::DirentRecord));
    h.xattrs_offset =
        align8(h.xattr_sets_offset + xattr_sets_.size() * sizeof(format::XattrSetRecord));
    h.extents_offset = align8(h.xattrs_offset + xattrs_.size() * sizeof(format::XattrRecord));
    h.layers_offset = align8(h.extents_offset + extents_.size() * sizeof(format::ExtentRecord));
    h.strings_offset =
        align8(h.layers_offset + tree_.layers().size() * sizeof(format::LayerRecord));
    h.file_size = h.strings_offset + strings_.size();
    return h;
  }

  /// The file's bytes in order: `out` takes spans, and is called once for the checksum, once to write.
  template <class Out>
  Result<void> emit(const format::Header& header, Out out) const {
    SBX_TRY(out(std::as_bytes(std::span(&header, 1))));
    SBX_TRY(emit_table(std::as_bytes(std::span(inodes_)), out));
    SBX_TRY(emit_table(std::as_bytes(std::span(dirents_)), out));
    SBX_TRY(emit_table(std::as_bytes(std::span(xattr_sets_)), out));
    SBX_TRY(emit_table(std::as_bytes(std::span(xattrs_)), out));
    SBX_TRY(emit_table(std::as_bytes(std::span(extents_)), out));
    SBX_TRY(emit_table(std::as_bytes(std::span(tree_.layers())), out));
    return out(std::as_bytes(std::span(strings_)));
  }

 private:
  template <class Out>
  static Result<void> emit_table(std::span<const std::byte> table, Out& out) {
    constexpr std::array<std::byte, 8> kZeros{};
    SBX_TRY(out(table));
    return out(std::span(kZeros).first(align8(table.size()) - table.size()));
  }

  std::uint32_t add_string(std::string_view text) {
    const std::size_t offset = strings_.size();
    strings_ += text;
    return static_cast<std::uint32_t>(offset);
  }

  /// The sets as MergedTree keeps them: "name\0size:value" repeated.
  void add_xattr_sets() {
    for (const std::string* set : tree_.xattr_sets()) {
      const auto first = static_cast<std::uint32_t>(xattrs_.size());
      std::string_view rest = *set;
      while (!rest.empty()) {
        const std::string_view name = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(name.size() + 1);
        const std::size_t colon = rest.find(':');
        std::size_t size = 0;
        std::from_chars(rest.data(), rest.data() + colon, size);
        const std::string_view value = rest.substr(colon + 1, size);
        rest.remove_prefix(colon + 1 + size);
        const std::uint32_t name_at = add_string(name);
        xattrs_.push_back({name_at, static_cast<std::uint32_t>(name.size()), add_string(value),
                           static_cast<std::uint32_t>(value.size())});
      }
      xattr_sets_.push_back({first, static_cast<std::uint32_t>(xattrs_.size()) - first});
    }
  }

  format::InodeRecord copy_inode(std::uint32_t index) {
    format::InodeRecord inode = tree_.inodes()[index];
    if (S_ISLNK(inode.mode)) {
      inode.data = add_string(tree_.target(inode));
    } else if ((inode.flags & format::kInodeSparse) != 0) {
      const auto first = tree_.extents().begin() + static_cast<std::ptrdiff_t>(inode.data);
      inode.data = extents_.size();
      extents_.insert(extents_.end(), first, first + inode.count);
    } else if (S_ISDIR(inode.mode)) {
      inode.nlink = 2;
      inode.data = 0;
    }
    return inode;
  }

  void add_directory(NodeTable::Id node, TreeIno ino) {
    const NodeTable& nodes = tree_.nodes();
    children_.clear();
    for (NodeTable::Id c = nodes.node(node).first_child; c != NodeTable::kNone;
         c = nodes.node(c).next) {
      children_.push_back(c);
    }
    std::sort(children_.begin(), children_.end(),
              [&](NodeTable::Id a, NodeTable::Id b) { return nodes.name(a) < nodes.name(b); });
    inodes_[ino - 1].data = dirents_.size();
    inodes_[ino - 1].count = static_cast<std::uint32_t>(children_.size());
    for (const NodeTable::Id child : children_) {
      const std::string_view name = nodes.name(child);
      const TreeIno number = add_inode(nodes.node(child).inode, ino);
      dirents_.push_back({number, add_string(name), static_cast<std::uint32_t>(name.size())});
      if (S_ISDIR(inodes_[number - 1].mode)) {
        ++inodes_[ino - 1].nlink;
        directories_.push_back({child, number});
      }
    }
  }

  TreeIno add_inode(std::uint32_t index, TreeIno directory) {
    if (number_[index] == kNoInode) {
      inodes_.push_back(copy_inode(index));
      inodes_.back().parent = directory;
      number_[index] = static_cast<TreeIno>(inodes_.size());
    }
    return number_[index];
  }

  const MergedTree& tree_;
  std::vector<TreeIno> number_;
  std::vector<std::pair<NodeTable::Id, TreeIno>> directories_;
  std::vector<NodeTable::Id> children_;
  std::vector<format::InodeRecord> inodes_;
  std::vector<format::DirentRecord> dirents_;
  std::vector<format::XattrSetRecord> xattr_sets_;
  std::vector<format::XattrRecord> xattrs_;
  std::vector<format::ExtentRecord> extents_;
  std::string strings_;
};

}  // namespace

Result<void> MergedTree::write(int fd, const oci::ChainId& chain_id, std::string_view name,
                               const std::optional<ImageTree::Squash>& squash) const {
  Tables tables(*this);
  SBX_TRY(tables.fill());
  format::Header header = tables.header(chain_id);
  if (squash) {
    header.flags = format::kHeaderSquash;
    header.block_size = squash->block_size;
    header.compression = squash->compression;
  }
  std::uint32_t crc = 0;
  SBX_TRY(tables.emit(header, [&](std::span<const std::byte> bytes) -> Result<void> {
    crc = crc32c(crc, bytes);
    return {};
  }));
  header.checksum = crc;
  return tables.emit(
      header, [&](std::span<const std::byte> bytes) { return sys::write_full(fd, bytes, name); });
}

}  // namespace sbx::layer
