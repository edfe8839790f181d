// New names: files, directories, symlinks, devices, links.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "overlay/core/layer_marks.hpp"
#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<Node*> Overlay::writable_dir(NodeId id) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  return copy_up(SBX_TRY(locate_dir(id)));
}

FsResult<IndexEntry*> Overlay::free_name(Node& dir, Name name) noexcept {
  if (name.view().size() > kNameMax) {
    return no(ENAMETOOLONG);
  }
  if (upper_->whole() && is_whiteout_name(name.view())) {
    return no(EINVAL);  // other overlays would take it for one
  }
  DirIndex* index = SBX_TRY(index_of(dir, Access::kExclusive));
  IndexEntry* entry = index->find(name.view());
  const bool taken = entry != nullptr ? !entry->whiteout : lower_type(dir, name.view()) != 0;
  if (taken) {
    return no(EEXIST);
  }
  return entry;
}

OverrideStat Overlay::new_stat(const Node& dir, std::uint32_t mode, std::uint64_t rdev,
                               const Caller& who) const noexcept {
  OverrideStat stat{ids_.stored(who.owner), mode & 07777, mode & S_IFMT, rdev};
  if ((dir.mode & S_ISGID) != 0) {
    stat.owner.gid = dir.owner.gid;
    stat.permissions |= S_ISDIR(mode) ? static_cast<std::uint32_t>(S_ISGID) : 0U;
  }
  return stat;
}

FsResult<Entry> Overlay::create(NodeId dir_id, Name name, const OverrideStat& wish,
                                std::string_view content, const Inherited& from) noexcept {
  Node* dir = SBX_TRY(writable_dir(dir_id));
  IndexEntry* whiteout = SBX_TRY(free_name(*dir, name));
  const FdRef parent = SBX_TRY(dir_fd(*dir));
  const bool in_work = whiteout != nullptr || upper_->makes_aside();
  const std::string aside = in_work ? upper_->work_name("n") : std::string();
  const int where = in_work ? upper_->work() : parent->get();
  const char* as = in_work ? aside.c_str() : name.c_str();

  const bool directory = wish.type == S_IFDIR;
  Quota::Admission admission = SBX_TRY(Quota::admit_file(quota_.get()));
  sys::Fd fd = SBX_TRY(upper_->make(where, as, wish, content));
  if (fd.valid()) {
    const auto given = give_acls(fd.get(), from);
    if (!given) {
      (void)sys::at::unlink(where, as, directory ? AT_REMOVEDIR : 0);
      return fail(given.error());
    }
  }
  // Of a file's whiteout too where others read: the kernel's overlay does it, and this may become a layer elsewhere.
  if (directory && whiteout != nullptr && (whiteout->hides_dir || upper_->whole())) {
    SBX_TRY(upper_->set_opaque(fd.get()));
  }
  FsResult<void> placed;
  if (whiteout != nullptr) {
    placed = directory ? upper_->place_on_whiteout(as, parent->get(), name)
                       : replace_whiteout(as, parent->get(), name);
  } else if (in_work) {
    placed = upper_->place(as, parent->get(), name);
  }
  if (!placed) {
    (void)sys::at::unlink(where, as, directory ? AT_REMOVEDIR : 0);
    return fail(placed.error());
  }
  if (directory) {
    SBX_TRY(upper_->finish_dir(fd.get(), wish));
  }
  return finish_new(*dir, name, wish, std::move(fd), admission);
}

FsResult<void> Overlay::replace_whiteout(const char* work_name, int dir, Name name) noexcept {
  const std::uint64_t gone = upper_->last_whiteout(dir, name);
  SBX_TRY(sys::at::rename(upper_->work(), work_name, dir, name.c_str()));
  upper_->marks().forget(gone);
  return {};
}

FsResult<Entry> Overlay::finish_new(Node& dir, Name name, const OverrideStat& stat, sys::Fd fd,
                                    Quota::Admission& admission) noexcept {
  const FdRef parent = SBX_TRY(dir_fd(dir));
  const struct stat host = fd.valid() ? SBX_TRY(sys::at::stat(fd.get()))
                                      : SBX_TRY(sys::at::stat(parent->get(), name.c_str()));
  admission.use(host);
  Node& node = new_node(stat, host);
  node.by_name = !fd.valid();
  if (node.by_name && stat.type == S_IFLNK) {
    node.mode = S_IFLNK | 0777;
  }
  if (S_ISDIR(node.mode)) {
    node.index = std::make_unique<DirIndex>(0);
  }
  if (fd.valid()) {
    (void)fds_.put(node.id.get(), std::move(fd));
  }
  name_node(dir, name, node);
  return entry_of(node, Access::kExclusive);
}

Node& Overlay::new_node(const OverrideStat& stat, const struct stat& host) noexcept {
  Node& node = nodes_.add_new();
  node.mode = stat.type | stat.permissions;
  node.owner = stat.owner;
  node.rdev = stat.rdev;
  node.host_ino = host.st_ino;
  node.ino = lower_->number_for_upper(host.st_dev, host.st_ino);
  node.has_upper = true;
  return node;
}

void Overlay::name_node(Node& dir, Name name, Node& node) noexcept {
  DirIndex& index = *dir.index;
  IndexEntry* entry = index.find(name.view());
  if (entry == nullptr) {
    entry = &index.add(name.view(), lower_type(dir, name.view()));
  }
  index.set_node(*entry, node, node.ino, node.mode & S_IFMT);
  add_link(node, dir, name.view());
}

FsResult<Entry> Overlay::make_node(NodeId dir, Name name, std::uint32_t mode, std::uint64_t rdev,
                                   const Caller& who) noexcept {
  const std::unique_lock lock(tree_);
  Node* parent = SBX_TRY(writable_dir(dir));
  const bool device = S_ISCHR(mode) || S_ISBLK(mode);
  const Inherited from = SBX_TRY(inherit(*parent, mode, who));
  return create(dir, name, new_stat(*parent, from.mode, device ? rdev : 0, who), {}, from);
}

FsResult<Entry> Overlay::make_dir(NodeId dir, Name name, std::uint32_t mode,
                                  const Caller& who) noexcept {
  const std::unique_lock lock(tree_);
  Node* parent = SBX_TRY(writable_dir(dir));
  const Inherited from = SBX_TRY(inherit(*parent, (mode & 07777) | S_IFDIR, who));
  return create(dir, name, new_stat(*parent, from.mode, 0, who), {}, from);
}

FsResult<Entry> Overlay::make_symlink(NodeId dir, Name name, std::string_view target,
                                      const Caller& who) noexcept {
  const std::unique_lock lock(tree_);
  Node* parent = SBX_TRY(writable_dir(dir));
  return create(dir, name, new_stat(*parent, S_IFLNK | 0777, 0, who), target, {});
}

FsResult<Entry> Overlay::make_unnamed(NodeId dir, std::uint32_t mode, const Caller& who) noexcept {
  const std::unique_lock lock(tree_);
  Node* parent = SBX_TRY(writable_dir(dir));
  const std::string name = upper_->work_name("o");
  const Inherited from = SBX_TRY(inherit(*parent, (mode & 07777) | S_IFREG, who));
  const OverrideStat wish = new_stat(*parent, from.mode, 0, who);
  Quota::Admission admission = SBX_TRY(Quota::admit_file(quota_.get()));
  sys::Fd fd = SBX_TRY(upper_->make(upper_->work(), name.c_str(), wish, {}));
  SBX_TRY(give_acls(fd.get(), from));
  const struct stat host = SBX_TRY(sys::at::stat(fd.get()));
  admission.use(host);
  Node& node = new_node(wish, host);
  node.work_name = name;
  node.removed = true;
  (void)fds_.put(node.id.get(), std::move(fd));
  return entry_of(node, Access::kExclusive);
}

FsResult<Entry> Overlay::link(NodeId id, NodeId dir_id, Name name) noexcept {
  SBX_TRY(make_whole(id));
  const std::unique_lock lock(tree_);
  Node* dir = SBX_TRY(writable_dir(dir_id));
  const Found found = SBX_TRY(locate(id));
  if (S_ISDIR(SBX_TRY(mode_of(found)))) {
    return no(EPERM);
  }
  const bool unnamed = found.node != nullptr && !found.node->work_name.empty();
  if (!upper_->can().links && !unnamed) {
    return no(EPERM);  // as Linux says on such a file system
  }
  SBX_TRY(free_name(*dir, name));
  Node* node = SBX_TRY(copy_up(found));
  const IndexEntry* whiteout = SBX_TRY(free_name(*dir, name));
  if (node->by_name && !upper_->native()) {
    SBX_TRY(symlink_to_placeholder(*node));
  }
  if (node->metacopy) {
    const FdRef fd = SBX_TRY(file_fd(*node));
    SBX_TRY(upper_->set_redirect(fd->get(), SBX_TRY(lower_path(node->lower.ref()))));
  }
  const FdRef to = SBX_TRY(dir_fd(*dir));
  if (!node->work_name.empty()) {
    SBX_TRY(whiteout != nullptr ? replace_whiteout(node->work_name.c_str(), to->get(), name)
                                : sys::at::rename(upper_->work(), node->work_name.c_str(),
                                                  to->get(), name.c_str()));
    node->work_name.clear();
    node->pinned.reset();
  } else if (node->links.empty()) {
    return no(ENOENT);
  } else {
    const FdRef from = SBX_TRY(dir_fd(*node->links.front().dir));
    const char* old_name = node->links.front().name.c_str();
    if (whiteout == nullptr) {
      SBX_TRY(sys::at::link(from->get(), old_name, to->get(), name.c_str()));
    } else {
      const std::string aside = upper_->work_name("n");
      SBX_TRY(sys::at::link(from->get(), old_name, upper_->work(), aside.c_str()));
      SBX_TRY(replace_whiteout(aside.c_str(), to->get(), name));
    }
    nodes_.set_linked(*node);
  }
  name_node(*dir, name, *node);
  return entry_of(*node, Access::kExclusive);
}

}  // namespace sbx::overlay
