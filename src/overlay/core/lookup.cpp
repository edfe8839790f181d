// Finding nodes by id and by name, and letting go of them.

#include <sys/stat.h>

#include "overlay/core/keep_times.hpp"
#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

Result<std::unique_ptr<Overlay>> Overlay::make(Options options) {
  const std::optional<QuotaLimits> quota = options.quota;
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
  root.interrupted = stored->interrupted;
  overlay->moved_known_ = !stored->has_moved;
  overlay->parts_marked_ = stored->has_parts;
  if (stored->has_parts && !overlay->upper_->tells_holes()) {
    return fail(
        Error::make(ErrorCode::kUnsupported, "use as upper directory", "",
                    "it was moved here: of some of its files only parts are in it, and this "
                    "file system does not tell which"));
  }
  const auto below = overlay->attr_of_lower(kLowerRoot);
  root.ino = below ? below->ino
                   : overlay->lower_->number_for_upper(stored->host.st_dev, stored->host.st_ino);
  root.mode = stored->mode;
  root.owner = stored->owner;
  // A fresh upper directory has no mark yet: the root looks as in the image.
  const bool fresh = overlay->upper_->whole() ? !stored->has_stat : stored->origin == 0;
  if (fresh && below && !overlay->upper_->native()) {
    root.mode = below->mode;
    root.owner = below->owner;
    const FsResult<void> written = overlay->adopt_root(root, *below);
    if (!written) {
      return fail(Error::system("write to", "upper directory", written.error().value()));
    }
  }
  for (const std::string& name : overlay->upper_->half_linked()) {
    const FsResult<void> finished = overlay->finish_linking(name);
    if (!finished) {
      return fail(Error::system("finish a copy in", "upper directory", finished.error().value()));
    }
  }
  if (quota) {
    overlay->quota_ = std::make_unique<Quota>(*quota);
    SBX_TRY(overlay->quota_->count(overlay->upper_->root()));
  }
  return overlay;
}

Overlay::Overlay(Options options)
    : lower_(std::move(options.lower)),
      upper_(std::move(options.upper)),
      ids_(std::move(options.ids)),
      durability_(options.durability),
      static_nlink_(options.static_nlink),
      acls_(options.acls),
      xattrs_(options.xattrs),
      copy_by_parts_from_(options.copy_by_parts_from),
      fds_(options.open_files) {}

Overlay::~Overlay() = default;

FsResult<void> Overlay::adopt_root(Node& root, const Attr& below) noexcept {
  SBX_TRY(copy_xattrs(kLowerRoot, upper_->root()));
  SBX_TRY(write_stat(root));
  const struct timespec times[2] = {below.atime, below.mtime};
  SBX_TRY(sys::at::set_times(upper_->root(), times));
  // Last: until it is there, the next start does this again.
  return upper_->set_origin(upper_->root(), root.ino);
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

NodeId Overlay::id_of(const Found& found) noexcept {
  return found.node != nullptr ? found.node->id : NodeId(found.lower.get());
}

FsResult<std::uint32_t> Overlay::mode_of(const Found& found) noexcept {
  return found.node != nullptr ? found.node->mode : SBX_TRY(lower_->attr(found.lower)).mode;
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
  if (upper_ != nullptr && !upper_->can().links) {
    const Attr attr = SBX_TRY(lower_->attr(pin.ref()));
    if (!attr.is_dir() && attr.nlink > 1) {
      return split_name(dir, name, pin.ref(), access);
    }
  }
  // A further name of a hard-linked file that was copied up, when nobody had met the name; or a file somebody removed
  // by another name.
  Node* node = nodes_.find(NodeId(pin.ref().get()));
  if (node != nullptr && node->removed) {
    return no(ESTALE);
  }
  if (node != nullptr && node->has_upper && !S_ISDIR(node->mode)) {
    return adopt_name(dir, name, *node, access);
  }
  const LowerRef ref = pin.ref();
  return Found{node, ref, std::move(pin)};
}

FsResult<Overlay::EntryPlace> Overlay::place_in(const Found& dir, Access access) noexcept {
  if (access == Access::kShared) {
    return no(kNeedExclusive);
  }
  Node& node = *SBX_TRY(copy_up(dir));
  DirIndex& index = *SBX_TRY(index_of(node, access));
  return EntryPlace{node, index, SBX_TRY(dir_fd(node))};
}

FsResult<Overlay::Found> Overlay::split_name(const Found& dir, Name name, LowerRef ref,
                                             Access access) noexcept {
  const auto [parent, index, to] = SBX_TRY(place_in(dir, access));
  const std::string fresh = upper_->work_name("c");
  Node& node = nodes_.add_new();
  node.lower = LowerPin::of(*lower_, ref);
  auto split = copy_file_to_work(ref, fresh, node, Number::kOwn);
  if (split) {
    const KeepTimes keep(to->get());
    split = upper_->place(fresh.c_str(), to->get(), name);
    if (!split) {
      discard_copy(node, fresh);
    }
  }
  if (!split) {
    nodes_.erase(node);
    return fail(split.error());
  }
  const std::uint32_t type = node.mode & S_IFMT;
  index.set_node(index.add(name.view(), lower_type(parent, name.view())), node, node.ino, type);
  add_link(node, parent, name.view());
  return Found{&node, ref, {}};
}

FsResult<Overlay::Found> Overlay::adopt_name(const Found& dir, Name name, Node& node,
                                             Access access) noexcept {
  const auto [parent, index, to] = SBX_TRY(place_in(dir, access));
  const KeepTimes keep(to->get());
  if (!node.work_name.empty()) {
    SBX_TRY(sys::at::link(upper_->work(), node.work_name.c_str(), to->get(), name.c_str()));
  } else if (!node.links.empty()) {
    const FdRef from = SBX_TRY(dir_fd(*node.links.front().dir));
    SBX_TRY(sys::at::link(from->get(), node.links.front().name.c_str(), to->get(), name.c_str()));
  } else {
    return no(ESTALE);
  }
  nodes_.set_linked(node);
  const std::uint32_t type = node.mode & S_IFMT;
  index.set_node(index.add(name.view(), lower_type(parent, name.view())), node, node.ino, type);
  add_link(node, parent, name.view());
  return Found{&node, node.lower.ref(), {}};
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
  entry.attr = SBX_TRY(served_lower(ref));
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
        ((next->moved || next->has_strangers) && !next->removed) || known_to_kernel(*next)) {
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

void Overlay::release_memory() noexcept {
  const std::unique_lock lock(tree_);
  nodes_.shrink();
  lower_->release_memory();
}

std::size_t Overlay::node_count() noexcept {
  const std::shared_lock lock(tree_);
  return nodes_.size();
}

}  // namespace sbx::overlay
