#include "layer/merged_tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace sbx::layer {
namespace {

constexpr int kMaxSymlinks = 40;
constexpr std::size_t kMaxWalk = 64U << 10U;  // bytes of path with the symlinks in it spelled out
constexpr std::uint32_t kLayerMask = (1U << NodeTable::kLayerBits) - 1;

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

std::uint16_t type_bits(EntryType type) {
  switch (type) {
    case EntryType::kRegular:
    case EntryType::kHardLink:
      return S_IFREG;
    case EntryType::kDirectory:
      return S_IFDIR;
    case EntryType::kSymlink:
      return S_IFLNK;
    case EntryType::kCharDevice:
      return S_IFCHR;
    case EntryType::kBlockDevice:
      return S_IFBLK;
    case EntryType::kFifo:
      return S_IFIFO;
    case EntryType::kSocket:
      return S_IFSOCK;
  }
  return 0;
}

MergedTree::Inode implied_directory(const TarEntry& like, std::uint32_t layer) {
  MergedTree::Inode inode;
  inode.mode = S_IFDIR | 0755U;
  inode.size = format::kDirectorySize;
  inode.mtime_sec = like.mtime_sec;
  inode.mtime_nsec = like.mtime_nsec;
  inode.layer = layer & kLayerMask;
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
  SBX_ASSERT(budget.limits().layers <= kLayerMask);
  inodes_.push_back(implied_directory(TarEntry{}, 0));
}

Result<void> MergedTree::apply(const LayerIndex& layer, const oci::DiffId& diff_id,
                               std::uint64_t tar_size) {
  if (layers_.size() >= budget_->limits().layers) {
    return fail(Error::make(ErrorCode::kLimit, "merge layer", diff_id.str(),
                            fmt::format("more than {} layers", budget_->limits().layers)));
  }
  layer_ = static_cast<std::uint32_t>(layers_.size());
  layers_.push_back({diff_id.bytes(), tar_size});
  return merge(layer).context(fmt::format("merging layer '{}'", diff_id.str()));
}

Result<void> MergedTree::merge(const LayerIndex& layer) {
  // All before any: one whiteout may take away what another one of this layer names too.
  LayerIndex::Whiteouts checked(layer);
  while (const LayerIndex::Gone* gone = checked.next()) {
    SBX_TRY(check_whiteout(*gone));
  }
  LayerIndex::Whiteouts whiteouts(layer);
  while (const LayerIndex::Gone* gone = whiteouts.next()) {
    apply_whiteout(*gone);
  }
  last_parent_ = NodeTable::kNone;
  PackedEntries::Reader entries(layer.entries());
  while (const TarEntry* entry = entries.next()) {
    SBX_TRY(apply_entry(*entry));
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
Result<void> MergedTree::check_whiteout(const LayerIndex::Gone& gone) const {
  if (gone.name.empty()) {
    return {};
  }
  const NodeTable::Id directory = find_lower(gone.directory);
  if (directory == NodeTable::kNone || nodes_.find(directory, gone.name) == NodeTable::kNone) {
    const std::string_view above = gone.directory;
    return fail(Error::make(ErrorCode::kCorrupt, "white out",
                            fmt::format("{}{}{}", above, above.empty() ? "" : "/", gone.name),
                            "no lower layer has it"));
  }
  return {};
}

void MergedTree::apply_whiteout(const LayerIndex::Gone& gone) {
  const NodeTable::Id directory = find_lower(gone.directory);
  if (directory == NodeTable::kNone) {
    return;  // an opaque mark on a new directory
  }
  if (!gone.name.empty()) {
    const NodeTable::Id doomed = nodes_.find(directory, gone.name);
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

Result<void> MergedTree::apply_entry(const TarEntry& entry) {
  if (entry.path.empty()) {
    return apply_root(entry);
  }
  const auto [directory, name] = split_path(entry.path);
  const NodeTable::Id parent = SBX_TRY(find_parent(directory, entry, Missing::kMake));
  if (entry.type == EntryType::kHardLink) {
    return link(parent, name, entry);
  }
  const std::uint32_t inode = make_inode(entry);
  const NodeTable::Id old = nodes_.find(parent, name);
  if (old != NodeTable::kNone && entry.type == EntryType::kDirectory && S_ISDIR(mode_of(old))) {
    inodes_[nodes_.node(old).inode].nlink = 0;
    nodes_.node(old).inode = inode;
    nodes_.node(old).layer = layer_ & kLayerMask;
    return {};
  }
  if (old != NodeTable::kNone) {
    remove(old);
  }
  (void)SBX_TRY(add_node(parent, name, inode));
  return {};
}

Result<void> MergedTree::apply_root(const TarEntry& entry) {
  if (entry.type != EntryType::kDirectory) {
    return fail(bad_entry("/", "the root must be a directory"));
  }
  NodeTable::Node& root = nodes_.node(NodeTable::kRoot);
  inodes_[root.inode].nlink = 0;
  root.inode = make_inode(entry);
  return {};
}

Result<NodeTable::Id> MergedTree::find_parent(std::string_view path, const TarEntry& like,
                                              Missing missing) {
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
Result<NodeTable::Id> MergedTree::step(NodeTable::Id at, Walk& walk, const TarEntry& like,
                                       Missing missing) {
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
                                                 const TarEntry& like) {
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
  nodes_.node(made).layer = layer_ & kLayerMask;
  return made;
}

Result<void> MergedTree::link(NodeTable::Id parent, std::string_view name, const TarEntry& entry) {
  const std::string_view path = entry.path;
  const std::string_view target = entry.link;
  const auto [directory, target_name] = split_path(target);
  const Result<NodeTable::Id> target_parent = find_parent(directory, TarEntry{}, Missing::kFail);
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

std::uint32_t MergedTree::make_inode(const TarEntry& entry) {
  Inode inode;
  // Linux gives every symlink mode 0777, whatever the tar says.
  const std::uint32_t bits = entry.type == EntryType::kSymlink ? 0777U : entry.mode;
  inode.mode = static_cast<std::uint16_t>(type_bits(entry.type) | (bits & 07777U));
  inode.uid = entry.uid;
  inode.gid = entry.gid;
  inode.mtime_sec = entry.mtime_sec;
  inode.mtime_nsec = entry.mtime_nsec;
  inode.nlink = 1;
  inode.xattr_set = xattr_set(entry);
  inode.layer = layer_ & kLayerMask;
  if (entry.type == EntryType::kDirectory) {
    inode.size = format::kDirectorySize;
  } else if (entry.type == EntryType::kSymlink) {
    inode.data = targets_.add(entry.link);
    inode.size = entry.link.size();
  } else if (entry.sparse) {
    inode.size = entry.size;
    inode.sparse = 1;
    inode.data = first_extents_.size();
    add_extents(entry);
  } else {
    const bool regular = entry.type == EntryType::kRegular;
    inode.size = entry.size;
    inode.data = regular ? entry.data_offset : entry.rdev;
  }
  inodes_.push_back(inode);
  return static_cast<std::uint32_t>(inodes_.size() - 1);
}

void MergedTree::add_extents(const TarEntry& entry) {
  first_extents_.push_back(extents_.size());
  for (const ImageTree::Extent& extent : entry.extents) {
    extents_.push_back({extent.file_offset, extent.length, extent.tar_offset});
  }
}

MergedTree::Extents MergedTree::extents_of(const Inode& sparse) const {
  const std::uint64_t first = first_extents_[sparse.data];
  const std::uint64_t next = sparse.data + 1;
  const std::uint64_t end = next < first_extents_.size() ? first_extents_[next] : extents_.size();
  return {first, static_cast<std::uint32_t>(end - first)};
}

/// Most files of an image have none, and those that have share a few: each distinct set stands once.
std::uint32_t MergedTree::xattr_set(const TarEntry& entry) {
  if (entry.xattrs.empty()) {
    return 0;
  }
  std::string set;
  for (const auto& [name, value] : entry.xattrs) {
    set += fmt::format("{}{}{}:{}", name, '\0', value.size(), value);
  }
  const auto [it, added] = xattr_set_ids_.emplace(std::move(set), xattr_sets_.size() + 1);
  if (added) {
    xattr_sets_.push_back(&it->first);
  }
  return it->second;
}

}  // namespace sbx::layer
