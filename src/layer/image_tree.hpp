#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "sys/fd.hpp"
#include "sys/mapping.hpp"

namespace sbx::layer {

namespace format {
struct Header;
struct InodeRecord;
}  // namespace format

/// Number of an inode of the merged tree: 1 is the root, 0 is none; dense up to inode_count().
using TreeIno = std::uint32_t;
inline constexpr TreeIno kTreeRoot = 1;
inline constexpr TreeIno kNoInode = 0;

/// What stat(2) tells, and where the data lies.
struct TreeInode {
  std::uint32_t mode = 0;  // type and permissions, as st_mode
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t nlink = 0;  // names in the merged tree; a directory: 2 + subdirectories
  std::uint64_t rdev = 0;   // devices: as st_rdev (makedev(3)); else 0
  std::uint64_t size = 0;   // symlink: length of the target; directory: 4096
  std::int64_t mtime_sec = 0;
  std::uint32_t mtime_nsec = 0;
  std::uint32_t layer = 0;  // index for layer(); the layer this metadata came from
  std::uint64_t data_offset =
      0;  // regular, not sparse: the bytes are [data_offset, +size) of the layer's tar
  bool sparse = false;  // the bytes are in the extents instead
  bool has_xattrs = false;
};

/// Read-only view of one mapped ImageTree file: the merged tree of an image's layers; see
/// sbx-image-tree(5). Every access is checked against the file's bounds, so that a corrupt or hostile
/// file gives "absent", never a crash; a hostile tree may contain loops, so walkers bound themselves.
/// Names and values are views into the mapping and live as long as the ImageTree. Safe from any
/// number of threads.
class ImageTree {
 public:
  struct DirEntry {
    std::string_view name;
    TreeIno ino = kNoInode;
  };
  struct Xattr {
    std::string_view name;
    std::string_view value;
  };
  /// `length` bytes of a sparse file at `file_offset`; between the extents it reads as zeros.
  struct Extent {
    std::uint64_t file_offset = 0;
    std::uint64_t length = 0;
    std::uint64_t tar_offset = 0;
  };
  /// How a squashfs holds the data of a tree made from it.
  struct Squash {
    std::uint32_t block_size = 0;   // a power of two, 4 KiB to 1 MiB
    std::uint32_t compression = 0;  // SquashCodec::make()
  };
  /// A block of such a file: `length` bytes at `file_offset` are the bytes from `skip` on of what the `stored` bytes at `offset` of
  /// the image file hold.
  struct Block {
    std::uint64_t file_offset = 0;
    std::uint32_t length = 0;
    std::uint64_t offset = 0;
    std::uint32_t stored = 0;
    std::uint32_t skip = 0;
    bool compressed = true;
  };

  /// Maps the file and checks magic, version and that the sections lie inside; not the checksum: O(1).
  /// kCorrupt, or kUnsupported for another version (rebuild it then). `name` is for errors.
  static Result<ImageTree> open(sys::Fd file, std::string_view name);
  /// Lets go of the pages of the file that were touched so far. For processes that look at everything once, and count.
  void release_pages() const noexcept { mapping_.release(); }
  /// As open(), of bytes that outlive the ImageTree (fuzzing, tests).
  static Result<ImageTree> over(std::span<const std::byte> bytes, std::string_view name);

  /// The whole-file checksum and every invariant of the format, in O(file). kCorrupt.
  [[nodiscard]] Result<void> verify() const;

  [[nodiscard]] TreeIno inode_count() const noexcept { return inode_count_; }
  [[nodiscard]] std::optional<TreeInode> inode(TreeIno ino) const noexcept;

  /// The entry `name` of a directory by binary search; kNoInode if absent or `dir` is no directory.
  /// "." and ".." are not stored.
  [[nodiscard]] TreeIno lookup(TreeIno dir, std::string_view name) const noexcept;
  /// Entries are sorted by the bytes of their names; 0 for what is not a directory.
  [[nodiscard]] std::uint32_t entry_count(TreeIno dir) const noexcept;
  [[nodiscard]] std::optional<DirEntry> entry(TreeIno dir, std::uint32_t index) const noexcept;
  /// The parent of a directory, the root's is the root; kNoInode for what is not a directory.
  [[nodiscard]] TreeIno parent(TreeIno dir) const noexcept;
  /// The directory that has an inode's first name; kNoInode if the file does not say (one of sbx before 0.1).
  [[nodiscard]] TreeIno home(TreeIno ino) const noexcept;

  /// Empty for what is not a symlink.
  [[nodiscard]] std::string_view symlink_target(TreeIno ino) const noexcept;

  /// Whether any file may have extended attributes.
  [[nodiscard]] bool has_xattrs() const noexcept { return xattr_set_count_ != 0; }
  [[nodiscard]] std::uint32_t xattr_count(TreeIno ino) const noexcept;
  [[nodiscard]] std::optional<Xattr> xattr(TreeIno ino, std::uint32_t index) const noexcept;
  /// The value of an xattr by its full name ("security.capability").
  [[nodiscard]] std::optional<std::string_view> find_xattr(TreeIno ino,
                                                           std::string_view name) const noexcept;

  /// Extents of a sparse file in the order of their file offsets; 0 for any other inode.
  [[nodiscard]] std::uint32_t extent_count(TreeIno ino) const noexcept;
  [[nodiscard]] std::optional<Extent> extent(TreeIno ino, std::uint32_t index) const noexcept;

  /// nullopt: the data lie in tars. Otherwise in layer 0, and SquashReader reads them: read() gives EIO. Extents then are the
  /// blocks, and everything between them reads as zeros.
  [[nodiscard]] std::optional<Squash> squash() const noexcept {
    return squash_.block_size == 0 ? std::nullopt : std::optional(squash_);
  }
  [[nodiscard]] std::optional<Block> block(TreeIno ino, std::uint32_t index) const noexcept;

  [[nodiscard]] std::uint32_t layer_count() const noexcept { return layer_count_; }
  /// `index` < layer_count(), else all zeros. The lowest layer is 0.
  [[nodiscard]] oci::DiffId layer(std::uint32_t index) const noexcept;
  /// Size of the layer's tar in bytes, 0 for an index that is not there.
  [[nodiscard]] std::uint64_t layer_size(std::uint32_t index) const noexcept;
  [[nodiscard]] const oci::ChainId& chain_id() const noexcept { return chain_id_; }

  /// Follows a path from the root, symlinks (at most 40, the last one too) and ".." inside the tree only;
  /// a leading '/' means nothing. kNoInode if it leads nowhere.
  [[nodiscard]] TreeIno resolve(std::string_view path) const;

  /// Up to data.size() bytes of a regular file from `offset`, holes as zeros; less only at its end.
  /// `layers` are the open tars in the order of layer(). EIO if a tar is shorter than the index says.
  [[nodiscard]] FsResult<std::size_t> read(TreeIno ino, std::uint64_t offset,
                                           std::span<std::byte> data,
                                           std::span<const sys::Fd> layers) const noexcept;
  /// A whole small file, such as /etc/passwd. kLimit if it is larger than `max`.
  [[nodiscard]] Result<std::string> read_file(TreeIno ino, std::span<const sys::Fd> layers,
                                              std::size_t max) const;

 private:
  template <class Record>
  [[nodiscard]] Record record(std::uint64_t section, std::uint64_t index) const noexcept;
  [[nodiscard]] std::optional<format::InodeRecord> inode_record(TreeIno ino) const noexcept;
  [[nodiscard]] std::optional<format::InodeRecord> directory_record(TreeIno ino) const noexcept;
  [[nodiscard]] std::optional<std::string_view> string(std::uint64_t offset,
                                                       std::uint64_t size) const noexcept;
  [[nodiscard]] DirEntry dirent(std::uint64_t index) const noexcept;
  [[nodiscard]] FsResult<std::size_t> read_sparse(TreeIno ino, const TreeInode& inode,
                                                  std::uint64_t offset, std::span<std::byte> data,
                                                  int tar) const noexcept;

  // verify() in parts: image_tree_verify.cpp.
  struct Checker;

  sys::Mapping mapping_;
  std::span<const std::byte> bytes_;
  std::uint32_t inode_count_ = 0;
  std::uint32_t dirent_count_ = 0;
  std::uint32_t xattr_set_count_ = 0;
  std::uint32_t xattr_count_ = 0;
  std::uint32_t layer_count_ = 0;
  std::uint64_t extent_count_ = 0;
  std::uint64_t string_bytes_ = 0;
  std::uint64_t inodes_ = 0;  // offsets of the sections
  std::uint64_t dirents_ = 0;
  std::uint64_t xattr_sets_ = 0;
  std::uint64_t xattrs_ = 0;
  std::uint64_t extents_ = 0;
  std::uint64_t layers_ = 0;
  std::uint64_t strings_ = 0;
  Squash squash_;
  oci::ChainId chain_id_;
};

}  // namespace sbx::layer
