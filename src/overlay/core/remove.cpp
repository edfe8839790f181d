// Names that go away. What is in use lives on without a name until the kernel forgets it: there is no
// open and no release, so "in use" means that the kernel knows the node.

#include <fcntl.h>
#include <sys/stat.h>

#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<void> Overlay::unlink(NodeId dir_id, Name name) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  const std::unique_lock lock(tree_);
  Found found = SBX_TRY(child(SBX_TRY(locate_dir(dir_id)), name, Access::kExclusive));
  const NodeId id = id_of(found);
  auto removed = unlink_found(dir_id, name, found);
  drop_if_unused(nodes_.find(id));  // it may have been loaded for this alone
  return removed;
}

FsResult<void> Overlay::unlink_found(NodeId dir_id, Name name, Found& found) noexcept {
  const std::uint32_t mode = SBX_TRY(mode_of(found));
  if (S_ISDIR(mode)) {
    return no(EISDIR);
  }
  if (!upper_->whole() && found.node == nullptr && SBX_TRY(lower_->attr(found.lower)).nlink > 1) {
    // The link count of the other names changes: they need a place to keep it.
    found.node = SBX_TRY(copy_up(found));
  }
  Node* dir = SBX_TRY(writable_dir(dir_id));
  return remove_name(*dir, name, found);
}

FsResult<void> Overlay::remove_dir(NodeId dir_id, Name name) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  const std::unique_lock lock(tree_);
  const Found found = SBX_TRY(child(SBX_TRY(locate_dir(dir_id)), name, Access::kExclusive));
  const NodeId id = id_of(found);
  auto removed = remove_found_dir(dir_id, name, found);
  drop_if_unused(nodes_.find(id));
  return removed;
}

FsResult<void> Overlay::remove_found_dir(NodeId dir_id, Name name, const Found& found) noexcept {
  const std::uint32_t mode = SBX_TRY(mode_of(found));
  if (!S_ISDIR(mode)) {
    return no(ENOTDIR);
  }
  if (!SBX_TRY(shows_empty(found))) {
    return no(ENOTEMPTY);
  }
  Node* dir = SBX_TRY(writable_dir(dir_id));
  return remove_name(*dir, name, found);
}

FsResult<void> Overlay::remove_name(Node& dir, Name name, const Found& found) noexcept {
  const FdRef parent = SBX_TRY(dir_fd(dir));
  DirIndex& index = *SBX_TRY(index_of(dir, Access::kExclusive));
  IndexEntry* entry = index.find(name.view());
  const std::uint32_t below = lower_type(dir, name.view());
  if (entry == nullptr) {
    SBX_TRY(upper_->make_whiteout(parent->get(), name));
    index.set_whiteout(index.add(name.view(), below));
    if (found.node == nullptr) {
      remove_lower_node(found.lower);
    }
    return {};
  }
  Node& node = *found.node;
  SBX_TRY(begin_removal(node, dir, name));
  FsResult<void> removed;
  if (S_ISDIR(node.mode)) {
    removed = below != 0 ? upper_->replace_dir_by_whiteout(parent->get(), name)
                         : upper_->remove_dir(parent->get(), name);
  } else {
    removed = below != 0 ? upper_->replace_by_whiteout(parent->get(), name)
                         : sys::at::unlink(parent->get(), name.c_str());
  }
  if (!removed) {
    cancel_removal(node);
    return removed;
  }
  if (below != 0) {
    index.set_whiteout(*entry);
  } else {
    index.erase(*entry);
  }
  finish_removal(node, dir, name);
  return {};
}

FsResult<bool> Overlay::shows_empty(const Found& dir) noexcept {
  class Finder final : public EntrySink {
   public:
    explicit Finder(const DirIndex* index) : index_(index) {}
    bool take(std::uint64_t, std::string_view name, std::uint64_t, std::uint32_t) override {
      const IndexEntry* entry = index_ == nullptr ? nullptr : index_->find(name);
      found_ = entry == nullptr || !entry->whiteout;
      return !found_;
    }
    [[nodiscard]] bool found() const { return found_; }

   private:
    const DirIndex* index_;
    bool found_ = false;
  };
  const DirIndex* index = nullptr;
  if (dir.node != nullptr && dir.node->has_upper) {
    index = SBX_TRY(index_of(*dir.node, Access::kExclusive));
    if (index->visible() > 0) {
      return false;
    }
  }
  Finder finder(index);
  if (lower_dir(dir) != kNoLower) {
    SBX_TRY(lower_->list(lower_dir(dir), 0, finder));
  }
  return !finder.found();
}

void Overlay::remove_lower_node(LowerRef ref) noexcept {
  auto attr = lower_->lookups(ref) > 0 ? attr_of_lower(ref) : FsResult<Attr>(no(ENOENT));
  if (!attr || nodes_.find(NodeId(ref.get())) != nullptr) {
    return;  // nobody knows it
  }
  if (upper_->whole() && !attr->is_dir() && attr->nlink > 1) {
    return;  // it has other names; the count stays as it was, as in the kernel's overlay
  }
  Node& node = nodes_.add(NodeId(ref.get()));
  node.lower = LowerPin::of(*lower_, ref);
  node.ino = attr->ino;
  node.mode = attr->mode;
  node.owner = attr->owner;
  node.rdev = attr->rdev;
  node.removed = true;
  attr->nlink = 0;
  attr->owner = ids_.served(attr->owner);
  node.last = std::make_unique<Attr>(*attr);
}

FsResult<void> Overlay::begin_removal(Node& node, Node& dir, Name name) noexcept {
  if (!upper_->can().removes_in_use && !S_ISDIR(node.mode)) {
    (void)fds_.take(node.id.get());  // what is open would get a name nobody asked for
  }
  if (node.links.size() > 1) {
    return {};
  }
  if (quota_) {
    node.on_disk = std::make_unique<struct stat>(SBX_TRY(host_stat(node)));
  }
  if (S_ISDIR(node.mode)) {
    auto last = std::make_unique<Attr>(SBX_TRY(attr_of(node, Access::kExclusive)));
    last->nlink = 0;
    node.last = std::move(last);
    return {};
  }
  if (!node.work_name.empty()) {
    return {};  // it has kept another name since its last removal
  }
  const struct stat host = SBX_TRY(host_stat(node));
  const FdRef parent = SBX_TRY(dir_fd(dir));
  if (host.st_nlink == 1) {
    if (!known_to_kernel(node)) {
      return {};
    }
    if (!upper_->can().removes_in_use && upper_->can().links) {
      return keep_in_work(node, parent->get(), name);
    }
    // An open file is the cheapest way to keep it, as long as there are descriptors.
    if (!node.by_name) {
      if (auto fd = file_fd(node)) {
        node.pinned = *fd;
        return {};
      }
    } else if (auto fd = sys::at::open(parent->get(), name.c_str(), O_PATH | O_NOFOLLOW)) {
      node.pinned = std::make_shared<const sys::Fd>(std::move(*fd));
      return {};
    }
  }
  // Names are left that we have not met yet, or no descriptor is.
  return keep_in_work(node, parent->get(), name);
}

FsResult<void> Overlay::keep_in_work(Node& node, int dir, Name name) noexcept {
  std::string keep = upper_->work_name("o");
  SBX_TRY(sys::at::link(dir, name.c_str(), upper_->work(), keep.c_str()));
  node.work_name = std::move(keep);
  return {};
}

void Overlay::cancel_removal(Node& node) noexcept {
  node.last.reset();
  node.pinned.reset();
  if (!node.work_name.empty()) {
    (void)sys::at::unlink(upper_->work(), node.work_name.c_str());
    node.work_name.clear();
  }
}

void Overlay::finish_removal(Node& node, Node& dir, Name name) noexcept {
  drop_link(node, dir, name.view());
  if (!node.links.empty()) {
    return;
  }
  node.removed = true;
  if (S_ISDIR(node.mode)) {
    upper_->marks().forget(node.host_ino);  // now: the number may be another file's soon
  }
  node.index.reset();
  (void)fds_.take(node.id.get());
  drop_if_unused(&node);
}

void Overlay::free_quota(const Node& node) noexcept {
  if (!quota_ || !node.removed || !node.has_upper) {
    return;
  }
  if (node.pinned != nullptr || !node.work_name.empty()) {
    const auto host = node.pinned != nullptr
                          ? sys::at::stat(node.pinned->get())
                          : sys::at::stat(upper_->work(), node.work_name.c_str());
    // A name of ours in the work directory, or what is left of a file that is open.
    const bool named = node.pinned == nullptr || !upper_->can().removes_in_use;
    if (host && host->st_nlink == (named ? 1U : 0U)) {
      quota_->remove_file(*host);
    }  // else it has names that nobody met
  } else if (node.on_disk != nullptr) {
    quota_->remove_file(*node.on_disk);
  }
}

void Overlay::bury(Node& node) noexcept {
  free_quota(node);
  const bool has_marks = node.removed && node.has_upper && !node.by_name && !S_ISDIR(node.mode);
  bool last = has_marks;
  if (!node.work_name.empty()) {
    if (has_marks && upper_->marks().in_files()) {
      const auto st = sys::at::stat(upper_->work(), node.work_name.c_str());
      last = st && st->st_nlink == 1;
    }
    (void)sys::at::unlink(upper_->work(),
                          node.work_name.c_str());  // else the next start removes it
  }
  if (last) {
    upper_->marks().forget(node.host_ino);
  }
  node.pinned.reset();  // last: the number is nobody else's before
}

}  // namespace sbx::overlay
