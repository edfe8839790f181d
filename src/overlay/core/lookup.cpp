// Finding nodes: by id, by name, on disk; and letting go of them.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

Result<std::unique_ptr<Overlay>> Overlay::make(Options options) {
  std::unique_ptr<Overlay> overlay(new Overlay(std::move(options)));
  if (overlay->upper_ == nullptr) {
    return overlay;
  }
  const auto stored = overlay->upper_->load_root();
  if (!stored) {
    return fail(Error::system("read", "upper directory", stored.error().value()));
  }
  LowerPin lower = stored->opaque ? LowerPin() : LowerPin::of(*overlay->lower_, kLowerRoot);
  Node& root = overlay->nodes_.add(kRootNode);
  root.lower = std::move(lower);
  root.host_ino = stored->host.st_ino;
  root.has_upper = true;
  root.marked = stored->xattr_whiteouts;
  overlay->moved_known_ = !stored->has_moved;
  const auto below = overlay->attr_of_lower(kLowerRoot);
  root.ino = below ? below->ino
                   : overlay->lower_->number_for_upper(stored->host.st_dev, stored->host.st_ino);
  root.mode = stored->mode;
  root.owner = stored->owner;
  // A fresh upper directory has no mark yet: the root looks as in the image.
  if (stored->origin == 0 && below) {
    root.mode = below->mode;
    root.owner = below->owner;
    const FsResult<void> written = overlay->adopt_root(root, *below);
    if (!written) {
      return fail(Error::system("write to", "upper directory", written.error().value()));
    }
  }
  return overlay;
}

Overlay::Overlay(Options options)
    : lower_(std::move(options.lower)),
      upper_(std::move(options.upper)),
      ids_(std::move(options.ids)),
      durability_(options.durability),
      fds_(options.open_files) {}

Overlay::~Overlay() = default;

FsResult<void> Overlay::adopt_root(Node& root, const Attr& below) noexcept {
  SBX_TRY(copy_xattrs(kLowerRoot, upper_->root()));
  SBX_TRY(write_stat(root));
  const struct timespec times[2] = {below.atime, below.mtime};
  SBX_TRY(sys::at::set_times(upper_->root(), times));
  // Last: until it is there, the next start does this again.
  return Upper::set_origin(upper_->root(), root.ino);
}

FsResult<Entry> Overlay::lookup(NodeId dir_id, Name name) noexcept {
  if (name.view().size() > kNameMax) {
    return no(ENAMETOOLONG);
  }
  return with_tree([&](Access access) -> FsResult<Entry> {
    const Found dir = SBX_TRY(locate_dir(dir_id));
    const auto found = child(dir, name, access);
    if (found) {
      return found->node != nullptr ? entry_of(*found->node, access) : entry_of_lower(found->lower);
    }
    if (found.error() != Errno(ENOENT)) {
      return fail(found.error());
    }
    Entry none;
    none.trust = trust_of(dir);
    return none;
  });
}

void Overlay::forget(NodeId id, std::uint64_t lookups) noexcept {
  if (id == kRootNode) {
    return;
  }
  std::uint64_t left = 0;
  {
    const std::shared_lock lock(tree_);
    Node* node = nodes_.find(id);
    if (id.get() <= kLastLowerId) {
      left = lower_->drop_lookups(LowerRef(id.get()), lookups);
    } else if (node != nullptr) {
      left = node->lookups.fetch_sub(lookups, std::memory_order_relaxed) - lookups;
    }
    if (left > 0 || node == nullptr) {
      return;
    }
  }
  const std::unique_lock lock(tree_);
  drop_if_unused(nodes_.find(id));
}

FsResult<Overlay::Found> Overlay::locate(NodeId id) noexcept {
  if (Node* node = nodes_.find(id)) {
    return Found{node, node->lower.ref(), {}};
  }
  if (id.get() <= kLastLowerId && lower_->valid(LowerRef(id.get()))) {
    return Found{nullptr, LowerRef(id.get()), {}};
  }
  return no(ESTALE);
}

FsResult<Overlay::Found> Overlay::locate_dir(NodeId id) noexcept {
  Found found = SBX_TRY(locate(id));
  if (found.node != nullptr && !S_ISDIR(found.node->mode)) {
    return no(ENOTDIR);
  }
  if (found.node != nullptr && found.node->removed) {
    return no(ENOENT);
  }
  return found;
}

LowerRef Overlay::lower_dir(const Found& dir) noexcept {
  return dir.node != nullptr ? dir.node->lower.ref() : dir.lower;
}

Trust Overlay::trust_of(const Found& found) const noexcept {
  const bool mixed = found.node == nullptr || (S_ISDIR(found.node->mode) && found.node->lower);
  return mixed ? lower_->trust() : Trust::kForever;
}

Trust Overlay::trust(NodeId id) noexcept {
  const std::shared_lock lock(tree_);
  const auto found = locate(id);
  return found ? trust_of(*found) : lower_->trust();
}

std::uint32_t Overlay::lower_type(const Node& dir, std::string_view name) noexcept {
  if (!dir.lower) {
    return 0;
  }
  return lower_->probe(dir.lower.ref(), name).value_or(0);
}

FsResult<Overlay::Found> Overlay::child(const Found& dir, Name name, Access access) noexcept {
  if (dir.node != nullptr && dir.node->has_upper) {
    DirIndex* index = SBX_TRY(index_of(*dir.node, access));
    if (IndexEntry* entry = index->find(name.view())) {
      if (entry->whiteout) {
        return no(ENOENT);
      }
      Node* node =
          entry->node != nullptr ? entry->node : SBX_TRY(load_child(*dir.node, *entry, access));
      return Found{node, node->lower.ref(), {}};
    }
  }
  const LowerRef below = lower_dir(dir);
  if (below == kNoLower) {
    return no(ENOENT);
  }
  LowerPin pin = SBX_TRY(lower_->lookup(below, name.view()));
  // A further name of a hard-linked file that was copied up, or a file somebody removed by another name.
  Node* node = nodes_.find(NodeId(pin.ref().get()));
  if (node != nullptr && node->removed) {
    return no(ESTALE);
  }
  const LowerRef ref = pin.ref();
  return Found{node, ref, std::move(pin)};
}

FsResult<Entry> Overlay::entry_of(Node& node, Access access) noexcept {
  Entry entry;
  entry.attr = SBX_TRY(attr_of(node, access));
  entry.id = node.id;
  entry.trust = trust_of({&node, node.lower.ref(), {}});
  count_lookup(node.id, 1);
  return entry;
}

FsResult<Entry> Overlay::entry_of_lower(LowerRef ref) noexcept {
  Entry entry;
  entry.attr = SBX_TRY(attr_of_lower(ref));
  entry.attr.owner = ids_.served(entry.attr.owner);
  entry.id = NodeId(ref.get());
  entry.trust = lower_->trust();
  count_lookup(entry.id, 1);
  return entry;
}

void Overlay::count_lookup(NodeId id, std::uint64_t count) noexcept {
  if (id.get() <= kLastLowerId) {
    lower_->add_lookups(LowerRef(id.get()), count);
  } else if (Node* node = nodes_.find(id)) {
    node->lookups.fetch_add(count, std::memory_order_relaxed);
  }
}

bool Overlay::known_to_kernel(const Node& node) noexcept {
  return node.id.get() <= kLastLowerId ? lower_->lookups(LowerRef(node.id.get())) > 0
                                       : node.lookups > 0;
}

void Overlay::drop_if_unused(Node* node) noexcept {
  if (node == nullptr) {
    return;
  }
  // By id: a directory with two names of one file in it comes twice, and may be gone by then.
  std::vector<NodeId> candidates{node->id};
  while (!candidates.empty()) {
    Node* next = nodes_.find(candidates.back());
    candidates.pop_back();
    if (next == nullptr || next->id == kRootNode || next->children > 0 ||
        (next->moved && !next->removed) || known_to_kernel(*next)) {
      continue;
    }
    for (const Node::Link& link : next->links) {
      if (IndexEntry* entry = link.dir->index->find(link.name)) {
        entry->node = nullptr;
      }
      link.dir->children--;
      candidates.push_back(link.dir->id);
    }
    (void)fds_.take(next->id.get());
    bury(*next);
    nodes_.erase(*next);
  }
}

void Overlay::add_link(Node& node, Node& dir, std::string_view name) noexcept {
  node.links.push_back({&dir, std::string(name)});
  node.removed = false;  // a name that nobody had met yet
  dir.children++;
}

void Overlay::drop_link(Node& node, const Node& dir, std::string_view name) noexcept {
  std::erase_if(node.links, [&](const Node::Link& link) {
    if (link.dir != &dir || link.name != name) {
      return false;
    }
    link.dir->children--;
    return true;
  });
}

FsResult<DirIndex*> Overlay::index_of(Node& dir, Access access) noexcept {
  if (dir.index != nullptr) {
    return dir.index.get();
  }
  if (access == Access::kShared) {
    return no(kNeedExclusive);
  }
  std::int64_t subdirs = 0;
  if (dir.lower) {
    const Attr below = SBX_TRY(lower_->attr(dir.lower.ref()));
    subdirs = below.nlink >= 2 ? std::int64_t{below.nlink} - 2
                               : -1;  // some file systems (btrfs) do not count
  }
  auto index = std::make_unique<DirIndex>(subdirs);
  SBX_TRY(read_index(dir, *index));
  dir.index = std::move(index);
  return dir.index.get();
}

FsResult<void> Overlay::read_index(Node& dir, DirIndex& index) noexcept {
  const FdRef shared = SBX_TRY(dir_fd(dir));
  const sys::Fd fd = SBX_TRY(sys::at::open(shared->get(), ".", O_RDONLY | O_DIRECTORY));
  alignas(8) std::byte buffer[32 * 1024];
  for (;;) {
    const std::size_t got = SBX_TRY(sys::at::read_dirents(fd.get(), buffer));
    if (got == 0) {
      return {};
    }
    sys::at::DirentReader reader(std::span<const std::byte>(buffer, got));
    sys::at::DirentReader::Dirent found{};
    while (reader.next(found)) {
      const std::string_view name = found.name;
      if (name == "." || name == "..") {
        continue;
      }
      IndexEntry& entry = index.add(name, lower_type(dir, name));
      // Ours are the only devices here, and they are whiteouts; but the directory may be another tool's.
      if (found.type != DT_DIR && found.type != DT_LNK && (found.type != DT_REG || dir.marked)) {
        const Stored stored = SBX_TRY(upper_->load(fd.get(), entry.name, dir.marked));
        if (stored.whiteout) {
          index.set_whiteout(entry);
        } else {
          index.set_kind(entry, S_ISDIR(stored.mode));
        }
      } else {
        index.set_kind(entry, found.type == DT_DIR);
      }
    }
  }
}

FsResult<LowerPin> Overlay::resolve_lower(std::string_view path) noexcept {
  LowerPin at = LowerPin::of(*lower_, kLowerRoot);
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      return no(EINVAL);
    }
    at = SBX_TRY(lower_->lookup(at.ref(), part));
  }
  return at;
}

FsResult<LowerPin> Overlay::lower_of_stored(const Node& dir, std::string_view name,
                                            const Stored& stored) noexcept {
  const bool directory = S_ISDIR(stored.mode);
  if (stored.opaque || (!directory && !stored.metacopy && stored.origin == 0)) {
    return LowerPin();
  }
  FsResult<LowerPin> pin = no(ENOENT);
  if (!directory && stored.origin != 0) {
    pin = lower_->by_number(stored.origin);
  }
  if (!pin && !directory && !stored.metacopy) {
    return LowerPin();  // the number is all that is needed of it
  }
  if (!pin && stored.redirect.starts_with('/')) {
    pin = resolve_lower(stored.redirect);
  } else if (!pin && dir.lower) {
    pin = lower_->lookup(dir.lower.ref(),
                         stored.redirect.empty() ? name : std::string_view(stored.redirect));
  }
  if (pin) {
    const Attr below = SBX_TRY(lower_->attr(pin->ref()));
    if ((below.mode & S_IFMT) == (stored.mode & S_IFMT)) {
      return pin;
    }
  }
  // A directory without a lower one is just that. A file whose data is gone cannot be served.
  if (stored.metacopy) {
    return no(EIO);
  }
  return LowerPin();
}

Node& Overlay::node_of_stored(const Stored& stored, LowerPin lower) noexcept {
  const bool usable = lower && nodes_.find(NodeId(lower.ref().get())) == nullptr;
  Node& node = usable ? nodes_.add(NodeId(lower.ref().get())) : nodes_.add_new();
  node.mode = stored.mode;
  node.owner = stored.owner;
  node.rdev = stored.rdev;
  node.host_ino = stored.host.st_ino;
  node.has_upper = true;
  node.metacopy = stored.metacopy;
  node.real_symlink = stored.real_symlink;
  node.marked = stored.xattr_whiteouts;
  node.moved = S_ISDIR(stored.mode) && lower && !stored.redirect.empty();
  node.ino = stored.origin;
  if (node.ino == 0 && lower) {
    const auto below = lower_->attr(lower.ref());
    node.ino = below ? below->ino : 0;
  }
  if (node.ino == 0) {
    node.ino = lower_->number_for_upper(stored.host.st_dev, stored.host.st_ino);
  }
  node.lower = std::move(lower);
  return node;
}

FsResult<Node*> Overlay::load_child(Node& dir, IndexEntry& entry, Access access) noexcept {
  if (access == Access::kShared) {
    return no(kNeedExclusive);
  }
  const FdRef fd = SBX_TRY(dir_fd(dir));
  const Stored stored = SBX_TRY(upper_->load(fd->get(), entry.name, dir.marked));
  const bool linked = !S_ISDIR(stored.mode) && stored.host.st_nlink > 1;
  Node* node = linked ? nodes_.find_linked(stored.host.st_ino) : nullptr;
  if (node == nullptr) {
    LowerPin lower = SBX_TRY(lower_of_stored(dir, entry.name, stored));
    if (S_ISDIR(stored.mode) && lower && nodes_.find(NodeId(lower.ref().get())) != nullptr) {
      return no(
          EIO);  // two directories claim one lower directory: somebody else copied one of them
    }
    node = &node_of_stored(stored, std::move(lower));
    if (linked) {
      nodes_.set_linked(*node);
    }
  }
  add_link(*node, dir, entry.name);
  dir.index->set_node(entry, *node, node->ino, node->mode & S_IFMT);
  return node;
}

std::size_t Overlay::node_count() noexcept {
  const std::shared_lock lock(tree_);
  return nodes_.size();
}

}  // namespace sbx::overlay
