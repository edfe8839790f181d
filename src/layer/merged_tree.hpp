#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layer/layer_index.hpp"
#include "layer/node_table.hpp"
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

  // For the writer.
  [[nodiscard]] const NodeTable& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<format::InodeRecord>& inodes() const { return inodes_; }
  [[nodiscard]] const std::vector<format::ExtentRecord>& extents() const { return extents_; }
  [[nodiscard]] const std::vector<format::LayerRecord>& layers() const { return layers_; }
  /// The xattr sets; InodeRecord::xattr_set is 1 + the index, in the form "name\0size:value" repeated.
  [[nodiscard]] const std::vector<const std::string*>& xattr_sets() const { return xattr_sets_; }
  [[nodiscard]] std::string_view target(const format::InodeRecord& symlink) const {
    return std::string_view(targets_).substr(symlink.data, symlink.size);
  }

 private:
  struct Walk;
  enum class Missing { kMake, kFail };

  void remove(NodeTable::Id top);
  void apply_whiteout(const LayerIndex& layer, const LayerIndex::Gone& gone);
  [[nodiscard]] Result<void> check_whiteout(const LayerIndex& layer,
                                            const LayerIndex::Gone& gone) const;
  [[nodiscard]] NodeTable::Id find_lower(std::string_view path) const;
  Result<void> apply_entry(const LayerIndex& layer, const LayerIndex::Entry& entry);
  Result<void> apply_root(const LayerIndex& layer, const LayerIndex::Entry& entry);
  Result<NodeTable::Id> find_parent(std::string_view path, const format::InodeRecord& like,
                                    Missing missing);
  Result<NodeTable::Id> step(NodeTable::Id at, Walk& walk, const format::InodeRecord& like,
                             Missing missing);
  Result<NodeTable::Id> make_directory(NodeTable::Id parent, std::string_view name,
                                       const format::InodeRecord& like);
  Result<NodeTable::Id> add_node(NodeTable::Id parent, std::string_view name, std::uint32_t inode);
  Result<void> link(NodeTable::Id parent, std::string_view name, std::string_view target,
                    std::string_view path);
  Result<std::uint32_t> make_inode(const LayerIndex& layer, const LayerIndex::Entry& entry);
  std::uint32_t xattr_set(const LayerIndex& layer, const LayerIndex::Entry& entry);
  [[nodiscard]] std::uint32_t mode_of(NodeTable::Id id) const;

  TreeBudget* budget_;
  NodeTable nodes_;
  std::vector<format::InodeRecord> inodes_;
  std::vector<format::ExtentRecord> extents_;
  std::vector<format::LayerRecord> layers_;
  std::map<std::string, std::uint32_t> xattr_set_ids_;
  std::vector<const std::string*> xattr_sets_;
  std::string targets_;
  std::uint32_t layer_ = 0;  // the one being applied

  // Layers list the children of a directory together: the parent of the last entry is the next one's too.
  std::string last_directory_;
  NodeTable::Id last_parent_ = NodeTable::kNone;
};

}  // namespace sbx::layer
