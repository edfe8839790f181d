// MergedTree::write(). The inodes are numbered breadth first, directory by directory, so that what
// readdir shows together lies together, and so that a directory's number is greater than its parent's.
//
// Nothing of the file is held in memory: how long each section becomes is counted before, then all of them are written at once,
// each at its own place, in one walk. What an inode says of what comes later can be told beforehand: the entries of the
// directories are written in the order of their inodes, so those of one begin where those of all before it end.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <deque>

#include "base/assert.hpp"
#include "layer/crc32c.hpp"
#include "layer/merged_tree.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::layer {
namespace {

constexpr std::size_t kBuffer = 64U << 10U;

constexpr std::uint64_t align8(std::uint64_t offset) { return (offset + 7U) & ~std::uint64_t{7}; }

Result<void> write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset,
                      std::string_view name) {
  if (const FsResult<void> done = sys::at::pwrite_full(fd, bytes, offset); !done) {
    return fail(Error::system("write", name, done.error().value()));
  }
  return {};
}

/// One section of the file, written from its beginning to its end while others are too.
class Section {
 public:
  /// `name` must outlive it; for errors.
  Section(int fd, std::uint64_t offset, std::string_view name)
      : fd_(fd), offset_(offset), name_(name) {}

  Result<void> put(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > kBuffer) {
      SBX_TRY(flush());
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
  }
  template <class Record>
  Result<void> put_record(const Record& record) {
    ++records_;
    return put(std::as_bytes(std::span(&record, 1)));
  }
  Result<void> flush() {
    SBX_TRY(write_at(fd_, buffer_, offset_, name_));
    offset_ += buffer_.size();
    buffer_.clear();
    return {};
  }
  /// Where the next byte goes to in the file.
  [[nodiscard]] std::uint64_t end() const { return offset_ + buffer_.size(); }
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  int fd_;
  std::uint64_t offset_;
  std::string_view name_;
  std::vector<std::byte> buffer_;
  std::uint64_t records_ = 0;
};

/// One "name\0size:value" of an xattr set, as MergedTree keeps it, taken off the front of `rest`.
std::pair<std::string_view, std::string_view> take_xattr(std::string_view& rest) {
  const std::string_view name = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(name.size() + 1);
  const std::size_t colon = rest.find(':');
  std::size_t size = 0;
  std::from_chars(rest.data(), rest.data() + colon, size);
  const std::string_view value = rest.substr(colon + 1, size);
  rest.remove_prefix(colon + 1 + size);
  return {name, value};
}

/// How much there will be of everything; the places follow from that.
Result<format::Header> count(const MergedTree& tree, const oci::ChainId& chain_id) {
  format::Header h{};
  h.magic = format::kMagic;
  h.version = format::kVersion;
  h.header_size = sizeof h;
  h.chain_id = chain_id.bytes();
  h.dirent_count = static_cast<std::uint32_t>(tree.nodes().live() - 1);
  h.string_bytes = tree.nodes().name_bytes();
  h.layer_count = static_cast<std::uint32_t>(tree.layers().size());
  for (std::size_t i = 0; i < tree.inodes().size(); ++i) {
    const MergedTree::Inode& inode = tree.inodes()[i];
    if (inode.nlink != 0) {
      ++h.inode_count;
      h.string_bytes += S_ISLNK(inode.mode) ? inode.size : 0;
      h.extent_count += inode.sparse != 0 ? tree.extents_of(inode).count : 0;
    }
  }
  for (const std::string* set : tree.xattr_sets()) {
    ++h.xattr_set_count;
    for (std::string_view rest = *set; !rest.empty(); ++h.xattr_count) {
      const auto [name, value] = take_xattr(rest);
      h.string_bytes += name.size() + value.size();
    }
  }
  if (h.string_bytes > UINT32_MAX) {
    return fail(Error::make(ErrorCode::kLimit, "write image tree", "", "more than 4 GiB of names"));
  }
  h.inodes_offset = sizeof h;
  h.dirents_offset =
      align8(h.inodes_offset + std::uint64_t{h.inode_count} * sizeof(format::InodeRecord));
  h.xattr_sets_offset =
      align8(h.dirents_offset + std::uint64_t{h.dirent_count} * sizeof(format::DirentRecord));
  h.xattrs_offset = align8(h.xattr_sets_offset +
                           std::uint64_t{h.xattr_set_count} * sizeof(format::XattrSetRecord));
  h.extents_offset =
      align8(h.xattrs_offset + std::uint64_t{h.xattr_count} * sizeof(format::XattrRecord));
  h.layers_offset = align8(h.extents_offset + h.extent_count * sizeof(format::ExtentRecord));
  h.strings_offset =
      align8(h.layers_offset + std::uint64_t{h.layer_count} * sizeof(format::LayerRecord));
  h.file_size = h.strings_offset + h.string_bytes;
  return h;
}

/// The sections; what is between them stays a hole, which reads as the zeros that belong there.
class Writer {
 public:
  Writer(const MergedTree& tree, const format::Header& header, int fd, std::string_view name)
      : tree_(tree),
        header_(header),
        number_(tree.inodes().size()),
        inodes_(fd, header.inodes_offset, name),
        dirents_(fd, header.dirents_offset, name),
        xattr_sets_(fd, header.xattr_sets_offset, name),
        xattrs_(fd, header.xattrs_offset, name),
        extents_(fd, header.extents_offset, name),
        layers_(fd, header.layers_offset, name),
        strings_(fd, header.strings_offset, name) {}

  Result<void> run() {
    SBX_TRY(layers_.put(std::as_bytes(std::span(tree_.layers()))));
    SBX_TRY(put_xattr_sets());
    (void)SBX_TRY(put_name(NodeTable::kRoot, kTreeRoot));
    while (!directories_.empty()) {
      const auto [node, ino] = directories_.front();
      directories_.pop_front();
      SBX_TRY(put_directory(node, ino));
    }
    for (Section* section :
         {&inodes_, &dirents_, &xattr_sets_, &xattrs_, &extents_, &layers_, &strings_}) {
      SBX_TRY(section->flush());
    }
    SBX_ASSERT(inodes_.records() == header_.inode_count &&
               dirents_.records() == header_.dirent_count &&
               extents_.records() == header_.extent_count &&
               xattrs_.records() == header_.xattr_count && strings_.end() == header_.file_size);
    return {};
  }

 private:
  Result<std::uint32_t> put_string(std::string_view text) {
    const std::uint64_t at = strings_.end() - header_.strings_offset;
    SBX_TRY(strings_.put(std::as_bytes(std::span(text))));
    return static_cast<std::uint32_t>(at);
  }

  Result<void> put_xattr_sets() {
    for (const std::string* set : tree_.xattr_sets()) {
      const auto first = static_cast<std::uint32_t>(xattrs_.records());
      for (std::string_view rest = *set; !rest.empty();) {
        const auto [name, value] = take_xattr(rest);
        const std::uint32_t name_at = SBX_TRY(put_string(name));
        const std::uint32_t value_at = SBX_TRY(put_string(value));
        SBX_TRY(xattrs_.put_record(
            format::XattrRecord{name_at, static_cast<std::uint32_t>(name.size()), value_at,
                                static_cast<std::uint32_t>(value.size())}));
      }
      const auto end = static_cast<std::uint32_t>(xattrs_.records());
      SBX_TRY(xattr_sets_.put_record(format::XattrSetRecord{first, end - first}));
    }
    return {};
  }

  /// The inode of a name if it has none yet, and its number; a directory is put in the queue.
  Result<TreeIno> put_name(NodeTable::Id node, TreeIno parent) {
    const std::uint32_t index = tree_.nodes().node(node).inode;
    if (number_[index] == kNoInode) {
      const format::InodeRecord inode = SBX_TRY(make_inode(node, parent));
      SBX_TRY(inodes_.put_record(inode));
      number_[index] = static_cast<TreeIno>(inodes_.records());
      if (S_ISDIR(inode.mode)) {
        directories_.emplace_back(node, number_[index]);
      }
    }
    return number_[index];
  }

  Result<format::InodeRecord> make_inode(NodeTable::Id node, TreeIno parent) {
    const MergedTree::Inode& from = tree_.inodes()[tree_.nodes().node(node).inode];
    format::InodeRecord inode{};
    inode.mode = from.mode;
    inode.uid = from.uid;
    inode.gid = from.gid;
    inode.nlink = from.nlink;
    inode.size = from.size;
    inode.mtime_sec = from.mtime_sec;
    inode.mtime_nsec = from.mtime_nsec;
    inode.layer = from.layer;
    inode.data = from.data;
    inode.xattr_set = from.xattr_set;
    inode.parent = parent;
    if (S_ISLNK(from.mode)) {
      inode.data = SBX_TRY(put_string(tree_.target(from)));
    } else if (from.sparse != 0) {
      SBX_TRY(put_extents(tree_.extents_of(from), inode));
    } else if (S_ISDIR(from.mode)) {
      count_children(node, inode);
    }
    return inode;
  }

  Result<void> put_extents(MergedTree::Extents from, format::InodeRecord& inode) {
    inode.flags = format::kInodeSparse;
    inode.data = extents_.records();
    inode.count = from.count;
    for (std::uint64_t i = 0; i < from.count; ++i) {
      SBX_TRY(extents_.put_record(tree_.extents()[from.first + i]));
    }
    return {};
  }

  void count_children(NodeTable::Id node, format::InodeRecord& inode) {
    const NodeTable& nodes = tree_.nodes();
    inode.nlink = 2;
    for (NodeTable::Id c = nodes.node(node).first_child; c != NodeTable::kNone;
         c = nodes.node(c).next) {
      ++inode.count;
      inode.nlink += S_ISDIR(tree_.inodes()[nodes.node(c).inode].mode) ? 1U : 0U;
    }
    inode.data = next_dirent_;
    next_dirent_ += inode.count;
  }

  Result<void> put_directory(NodeTable::Id node, TreeIno ino) {
    const NodeTable& nodes = tree_.nodes();
    children_.clear();
    for (NodeTable::Id c = nodes.node(node).first_child; c != NodeTable::kNone;
         c = nodes.node(c).next) {
      children_.push_back(c);
    }
    std::sort(children_.begin(), children_.end(),
              [&](NodeTable::Id a, NodeTable::Id b) { return nodes.name(a) < nodes.name(b); });
    for (const NodeTable::Id child : children_) {
      const std::string_view name = nodes.name(child);
      const TreeIno number = SBX_TRY(put_name(child, ino));
      const std::uint32_t name_at = SBX_TRY(put_string(name));
      SBX_TRY(dirents_.put_record(
          format::DirentRecord{number, name_at, static_cast<std::uint32_t>(name.size())}));
    }
    return {};
  }

  const MergedTree& tree_;
  const format::Header& header_;
  std::vector<TreeIno> number_;                                // by the tree's inodes
  std::deque<std::pair<NodeTable::Id, TreeIno>> directories_;  // whose entries are still to come
  std::vector<NodeTable::Id> children_;
  std::uint64_t next_dirent_ = 0;
  Section inodes_;
  Section dirents_;
  Section xattr_sets_;
  Section xattrs_;
  Section extents_;
  Section layers_;
  Section strings_;
};

/// CRC-32C of all that was written. It is in the page cache still.
Result<std::uint32_t> checksum(int fd, std::uint64_t size, std::string_view name) {
  std::vector<std::byte> buffer(kBuffer);
  std::uint32_t crc = 0;
  for (std::uint64_t at = 0; at < size;) {
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    if (SBX_TRY(sys::pread_full(fd, part, at, name)) < part.size()) {
      return fail(Error::make(ErrorCode::kCorrupt, "write image tree", name,
                              "it is shorter than what was written"));
    }
    crc = crc32c(crc, part);
    at += part.size();
  }
  return crc;
}

}  // namespace

Result<void> MergedTree::write(int fd, const oci::ChainId& chain_id, std::string_view name,
                               const std::optional<ImageTree::Squash>& squash) const {
  format::Header header = SBX_TRY(count(*this, chain_id));
  if (squash) {
    header.flags = format::kHeaderSquash;
    header.block_size = squash->block_size;
    header.compression = squash->compression;
  }
  const auto bytes = std::as_bytes(std::span(&header, 1));
  SBX_TRY(write_at(fd, bytes, 0, name));
  SBX_TRY(Writer(*this, header, fd, name).run());
  header.checksum = SBX_TRY(checksum(fd, header.file_size, name));
  return write_at(fd, bytes, 0, name);
}

}  // namespace sbx::layer
