#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layer/chunked_vector.hpp"
#include "layer/image_tree_format.hpp"
#include "layer/layer_index.hpp"
#include "layer/node_table.hpp"
#include "layer/text_pool.hpp"
#include "oci/digest.hpp"

namespace sbx::layer {

/// Merges layers, lowest first, into the tree that an ImageTree file holds. The rules, which are those of
/// docker's and podman's overlay storage where the specification leaves a choice:
///  - whiteouts and opaque directories take away from the layers below only;
///  - the last entry of a name wins; a directory over a directory keeps the children;
///  - a missing parent is made: 0755, root, the time of the entry that needed it;
///  - a parent that is a symlink of the same layer is followed inside the tree; one of a lower layer is
///    replaced by a directory, as is any other non-directory of a lower layer;
///  - a parent that is another kind of file of the same layer is an error;
///  - a hard link shares its target's inode, also of a lower layer; no target, or itself: an error.
class MergedTree {
 public:
  /// `budget` must outlive the tree.
  explicit MergedTree(TreeBudget& budget);

  /// Puts the next layer on top. After a failure the tree must not be used.
  Result<void> apply(const LayerIndex& layer, const oci::DiffId& diff_id, std::uint64_t tar_size);

  /// Writes the file format of sbx-image-tree(5) to an empty file. Syncs nothing. `name` is for errors. `squash`: the one layer is
  /// a squashfs (scan_squash()).
  Result<void> write(int fd, const oci::ChainId& chain_id, std::string_view name,
                     const std::optional<ImageTree::Squash>& squash = std::nullopt) const;

  /// What is kept of a file until the tree is written: what of an InodeRecord the writer does not find out.
  struct Inode {
    std::uint64_t size = 0;
    std::int64_t mtime_sec = 0;
    // File: tar offset; sparse file: for extents_of(); symlink: for target(); device: rdev.
    std::uint64_t data = 0;
    std::uint32_t mtime_nsec = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t nlink = 0;  // names of it; 0: it was replaced or removed
    std::uint32_t xattr_set = 0;
    std::uint16_t mode = 0;
    std::uint16_t layer : 15 = 0;
    std::uint16_t sparse : 1 = 0;
  };
  static_assert(sizeof(Inode) == 48);
  struct Extents {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
  };

  // For the writer.
  [[nodiscard]] const NodeTable& nodes() const { return nodes_; }
  [[nodiscard]] const ChunkedVector<Inode>& inodes() const { return inodes_; }
  [[nodiscard]] const ChunkedVector<format::ExtentRecord>& extents() const { return extents_; }
  [[nodiscard]] Extents extents_of(const Inode& sparse) const;
  [[nodiscard]] const std::vector<format::LayerRecord>& layers() const { return layers_; }
  /// The xattr sets; Inode::xattr_set is 1 + the index, in the form "name\0size:value" repeated.
  [[nodiscard]] const std::vector<const std::string*>& xattr_sets() const { return xattr_sets_; }
  [[nodiscard]] std::string_view target(const Inode& symlink) const {
    return targets_.get(static_cast<std::uint32_t>(symlink.data), symlink.size);
  }

 private:
  struct Walk;
  enum class Missing { kMake, kFail };

  Result<void> merge(const LayerIndex& layer);
  void remove(NodeTable::Id top);
  void apply_whiteout(const LayerIndex::Gone& gone);
  [[nodiscard]] Result<void> check_whiteout(const LayerIndex::Gone& gone) const;
  [[nodiscard]] NodeTable::Id find_lower(std::string_view path) const;
  Result<void> apply_entry(const TarEntry& entry);
  Result<void> apply_root(const TarEntry& entry);
  Result<NodeTable::Id> find_parent(std::string_view path, const TarEntry& like, Missing missing);
  Result<NodeTable::Id> step(NodeTable::Id at, Walk& walk, const TarEntry& like, Missing missing);
  Result<NodeTable::Id> make_directory(NodeTable::Id parent, std::string_view name,
                                       const TarEntry& like);
  Result<NodeTable::Id> add_node(NodeTable::Id parent, std::string_view name, std::uint32_t inode);
  Result<void> link(NodeTable::Id parent, std::string_view name, const TarEntry& entry);
  std::uint32_t make_inode(const TarEntry& entry);
  void add_extents(const TarEntry& entry);
  std::uint32_t xattr_set(const TarEntry& entry);
  [[nodiscard]] std::uint32_t mode_of(NodeTable::Id id) const;

  TreeBudget* budget_;
  NodeTable nodes_;
  ChunkedVector<Inode> inodes_;
  ChunkedVector<format::ExtentRecord> extents_;
  // Of each sparse file; its extents end where those of the next one begin.
  ChunkedVector<std::uint64_t> first_extents_;
  std::vector<format::LayerRecord> layers_;
  std::map<std::string, std::uint32_t> xattr_set_ids_;
  std::vector<const std::string*> xattr_sets_;
  TextPool targets_;
  std::uint32_t layer_ = 0;  // the one being applied

  // Layers list the children of a directory together: the parent of the last entry is the next one's too.
  std::string last_directory_;
  NodeTable::Id last_parent_ = NodeTable::kNone;
};

}  // namespace sbx::layer
