#include "layer/merged_tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace sbx::layer {
namespace {

constexpr int kMaxSymlinks = 40;
constexpr std::size_t kMaxWalk = 64U << 10U;  // bytes of path with the symlinks in it spelled out

Error bad_entry(std::string_view path, std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "merge layer entry", path, std::move(reason));
}

std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {std::string_view(), path};
  }
  return {path.substr(0, slash), path.substr(slash + 1)};
}

format::InodeRecord implied_directory(const format::InodeRecord& like, std::uint32_t layer) {
  format::InodeRecord inode{};
  inode.mode = S_IFDIR | 0755U;
  inode.size = format::kDirectorySize;
  inode.mtime_sec = like.mtime_sec;
  inode.mtime_nsec = like.mtime_nsec;
  inode.layer = layer;
  inode.nlink = 1;
  return inode;
}

}  // namespace

/// What is left of a path, with the symlinks met so far spelled out in front.
struct MergedTree::Walk {
  std::string_view path;  // the whole, for errors
  std::string_view rest;
  std::string held;
  int symlinks = 0;

  std::string_view take() {
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    const std::string_view component = rest.substr(0, rest.find('/'));
    rest.remove_prefix(component.size());
    return component;
  }
  Result<void> follow(std::string_view target) {
    if (++symlinks > kMaxSymlinks || target.size() + rest.size() > kMaxWalk) {
      return fail(bad_entry(path, "too many symbolic links on the way to it"));
    }
    std::string next = fmt::format("{}/{}", target, rest);
    held.swap(next);
    rest = held;
    return {};
  }
};

MergedTree::MergedTree(TreeBudget& budget) : budget_(&budget) {
  inodes_.push_back(implied_directory(format::InodeRecord{}, 0));
}

Result<void> MergedTree::apply(const LayerIndex& layer, const oci::DiffId& diff_id,
                               std::uint64_t tar_size) {
  if (layers_.size() >= budget_->limits().layers) {
    return fail(Error::make(ErrorCode::kLimit, "merge layer", diff_id.str(),
                            fmt::format("more than {} layers", budget_->limits().layers)));
  }
  layer_ = static_cast<std::uint32_t>(layers_.size());
  layers_.push_back({diff_id.bytes(), tar_size});
  // All before any: one whiteout may take away what another one of this layer names too.
  for (const LayerIndex::Gone& gone : layer.whiteouts()) {
    SBX_TRY(check_whiteout(layer, gone).context(fmt::format("merging layer '{}'", diff_id.str())));
  }
  for (const LayerIndex::Gone& gone : layer.whiteouts()) {
    apply_whiteout(layer, gone);
  }
  last_parent_ = NodeTable::kNone;
  for (const LayerIndex::Entry& entry : layer.entries()) {
    SBX_TRY(apply_entry(layer, entry).context(fmt::format("merging layer '{}'", diff_id.str())));
  }
  return {};
}

std::uint32_t MergedTree::mode_of(NodeTable::Id id) const {
  return inodes_[nodes_.node(id).inode].mode;
}

/// Amortised linear: after a leaf, its parent's next child, not the top again.
void MergedTree::remove(NodeTable::Id top) {
  last_parent_ = NodeTable::kNone;
  for (NodeTable::Id id = nodes_.deepest_first(top);;) {
    const NodeTable::Id parent = nodes_.node(id).parent;
    --inodes_[nodes_.node(id).inode].nlink;
    nodes_.remove_leaf(id);
    if (id == top) {
      return;
    }
    id = nodes_.deepest_first(parent);
  }
}

/// Without following symlinks: a whiteout below a symlink is one of nothing.
NodeTable::Id MergedTree::find_lower(std::string_view path) const {
  NodeTable::Id at = NodeTable::kRoot;
  while (!path.empty() && at != NodeTable::kNone) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    at = nodes_.find(at, name);
  }
  return at;
}

/// An opaque mark is fine on any directory, as builders put it on new ones too. A name must be there in a lower layer: a
/// whiteout of nothing tells that the layer was made for other layers than these.
Result<void> MergedTree::check_whiteout(const LayerIndex& layer,
                                        const LayerIndex::Gone& gone) const {
  if (gone.name.size == 0) {
    return {};
  }
  const NodeTable::Id directory = find_lower(layer.text(gone.directory));
  if (directory == NodeTable::kNone ||
      nodes_.find(directory, layer.text(gone.name)) == NodeTable::kNone) {
    const std::string_view above = layer.text(gone.directory);
    return fail(
        Error::make(ErrorCode::kCorrupt, "white out",
                    fmt::format("{}{}{}", above, above.empty() ? "" : "/", layer.text(gone.name)),
                    "no lower layer has it"));
  }
  return {};
}

void MergedTree::apply_whiteout(const LayerIndex& layer, const LayerIndex::Gone& gone) {
  const NodeTable::Id directory = find_lower(layer.text(gone.directory));
  if (directory == NodeTable::kNone) {
    return;  // an opaque mark on a new directory
  }
  if (gone.name.size != 0) {
    const NodeTable::Id doomed = nodes_.find(directory, layer.text(gone.name));
    if (doomed != NodeTable::kNone) {
      remove(doomed);
    }
    return;
  }
  // Repeating it costs nothing: the children are gone (CVE-2026-95838 was quadratic work here).
  while (nodes_.node(directory).first_child != NodeTable::kNone) {
    remove(nodes_.node(directory).first_child);
  }
}

Result<void> MergedTree::apply_entry(const LayerIndex& layer, const LayerIndex::Entry& entry) {
  const std::string_view path = layer.text(entry.path);
  if (path.empty()) {
    return apply_root(layer, entry);
  }
  const auto [directory, name] = split_path(path);
  const NodeTable::Id parent = SBX_TRY(find_parent(directory, entry.inode, Missing::kMake));
  if (entry.type == EntryType::kHardLink) {
    return link(parent, name, layer.text(entry.link), path);
  }
  const std::uint32_t inode = SBX_TRY(make_inode(layer, entry));
  const NodeTable::Id old = nodes_.find(parent, name);
  if (old != NodeTable::kNone && entry.type == EntryType::kDirectory && S_ISDIR(mode_of(old))) {
    inodes_[nodes_.node(old).inode].nlink = 0;
    nodes_.node(old).inode = inode;
    nodes_.node(old).layer = layer_;
    return {};
  }
  if (old != NodeTable::kNone) {
    remove(old);
  }
  (void)SBX_TRY(add_node(parent, name, inode));
  return {};
}

Result<void> MergedTree::apply_root(const LayerIndex& layer, const LayerIndex::Entry& entry) {
  if (entry.type != EntryType::kDirectory) {
    return fail(bad_entry("/", "the root must be a directory"));
  }
  nodes_.node(NodeTable::kRoot).inode = SBX_TRY(make_inode(layer, entry));
  return {};
}

Result<NodeTable::Id> MergedTree::find_parent(std::string_view path,
                                              const format::InodeRecord& like, Missing missing) {
  if (last_parent_ != NodeTable::kNone && path == last_directory_) {
    return last_parent_;
  }
  Walk walk{path, path, {}, 0};
  NodeTable::Id at = NodeTable::kRoot;
  while (walk.rest.find_first_not_of('/') != std::string_view::npos) {
    SBX_TRY(budget_->take_step());
    at = SBX_TRY(step(at, walk, like, missing));
  }
  last_directory_ = path;
  last_parent_ = at;
  return at;
}

/// One component further, or, at a symlink, the same place with a longer rest.
Result<NodeTable::Id> MergedTree::step(NodeTable::Id at, Walk& walk,
                                       const format::InodeRecord& like, Missing missing) {
  const std::string_view name = walk.take();
  if (name == "." || name == "..") {  // of a symlink's target; an entry's own path has none
    return name == ".." ? nodes_.node(at).parent : at;
  }
  const NodeTable::Id next = nodes_.find(at, name);
  const bool same_layer = next != NodeTable::kNone && nodes_.node(next).layer == layer_;
  if (next != NodeTable::kNone && S_ISDIR(mode_of(next))) {
    return next;
  }
  if (same_layer && S_ISLNK(mode_of(next))) {
    const std::string target(this->target(inodes_[nodes_.node(next).inode]));
    SBX_TRY(walk.follow(target));
    return target.front() == '/' ? NodeTable::kRoot : at;
  }
  if (same_layer) {
    return fail(bad_entry(
        walk.path, fmt::format("'{}' on the way to it is not a directory", printable(name))));
  }
  if (missing == Missing::kFail) {
    return fail(bad_entry(walk.path, "there is no such directory"));
  }
  if (next != NodeTable::kNone) {
    remove(next);
  }
  if (name.size() > kMaxName) {  // only a symlink's target can ask for that
    return fail(bad_entry(walk.path, "a name on the way to it is too long"));
  }
  return make_directory(at, name, like);
}

Result<NodeTable::Id> MergedTree::make_directory(NodeTable::Id parent, std::string_view name,
                                                 const format::InodeRecord& like) {
  SBX_TRY(budget_->take_entries(1));
  SBX_TRY(budget_->take_strings(name.size()));
  const NodeTable::Id made =
      SBX_TRY(add_node(parent, name, static_cast<std::uint32_t>(inodes_.size())));
  inodes_.push_back(implied_directory(like, layer_));
  return made;
}

Result<NodeTable::Id> MergedTree::add_node(NodeTable::Id parent, std::string_view name,
                                           std::uint32_t inode) {
  if (nodes_.node(parent).depth >= kMaxDepth) {
    return fail(Error::make(ErrorCode::kLimit, "merge layer entry", name, "the tree is too deep"));
  }
  const NodeTable::Id made = nodes_.add(parent, name);
  nodes_.node(made).inode = inode;
  nodes_.node(made).layer = layer_;
  return made;
}

Result<void> MergedTree::link(NodeTable::Id parent, std::string_view name, std::string_view target,
                              std::string_view path) {
  const auto [directory, target_name] = split_path(target);
  const Result<NodeTable::Id> target_parent =
      find_parent(directory, format::InodeRecord{}, Missing::kFail);
  const NodeTable::Id found =
      target_parent ? nodes_.find(*target_parent, target_name) : NodeTable::kNone;
  const NodeTable::Id old = nodes_.find(parent, name);
  if (found == NodeTable::kNone) {
    return fail(bad_entry(
        path, fmt::format("it is a hard link to '{}', which is not there", printable(target))));
  }
  if (found == old) {
    return fail(bad_entry(path, "it is a hard link to itself"));
  }
  if (S_ISDIR(mode_of(found))) {
    return fail(
        bad_entry(path, fmt::format("it is a hard link to the directory '{}'", printable(target))));
  }
  const std::uint32_t inode = nodes_.node(found).inode;
  ++inodes_[inode].nlink;  // before remove(): the old name may be the same inode
  if (old != NodeTable::kNone) {
    // A directory on the way out must not take the link's own target with it.
    for (NodeTable::Id up = found; up != NodeTable::kRoot; up = nodes_.node(up).parent) {
      if (up == old) {
        return fail(bad_entry(path, "it is a hard link to what it replaces"));
      }
    }
    remove(old);
  }
  (void)SBX_TRY(add_node(parent, name, inode));
  return {};
}

Result<std::uint32_t> MergedTree::make_inode(const LayerIndex& layer,
                                             const LayerIndex::Entry& entry) {
  format::InodeRecord inode = entry.inode;
  inode.layer = layer_;
  inode.nlink = 1;
  inode.xattr_set = xattr_set(layer, entry);
  if (entry.type == EntryType::kDirectory) {
    inode.size = format::kDirectorySize;
  } else if (entry.type == EntryType::kSymlink) {
    inode.data = targets_.size();
    inode.size = entry.link.size;
    targets_ += layer.text(entry.link);
  } else if ((inode.flags & format::kInodeSparse) != 0) {
    const auto of_file = layer.extents().subspan(inode.data, inode.count);
    inode.data = extents_.size();
    extents_.insert(extents_.end(), of_file.begin(), of_file.end());
  }
  inodes_.push_back(inode);
  return static_cast<std::uint32_t>(inodes_.size() - 1);
}

/// Most files of an image have none, and those that have share a few: each distinct set stands once.
std::uint32_t MergedTree::xattr_set(const LayerIndex& layer, const LayerIndex::Entry& entry) {
  if (entry.xattr_count == 0) {
    return 0;
  }
  std::string set;
  for (std::uint32_t i = 0; i < entry.xattr_count; ++i) {
    const std::string_view name = layer.text(layer.xattrs()[entry.first_xattr + 2 * i]);
    const std::string_view value = layer.text(layer.xattrs()[entry.first_xattr + 2 * i + 1]);
    set += fmt::format("{}{}{}:{}", name, '\0', value.size(), value);
  }
  const auto [it, added] = xattr_set_ids_.emplace(std::move(set), xattr_sets_.size() + 1);
  if (added) {
    xattr_sets_.push_back(&it->first);
  }
  return it->second;
}

}  // namespace sbx::layer
