// What stat(2) says, and changing it.

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>

#include "overlay/core/keep_times.hpp"
#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<Attr> Overlay::get_attr(NodeId id) noexcept {
  return with_tree([&](Access access) -> FsResult<Attr> {
    const Found found = SBX_TRY(locate(id));
    if (found.node != nullptr) {
      return attr_of(*found.node, access);
    }
    return served_lower(found.lower);
  });
}

FsResult<Attr> Overlay::served_lower(LowerRef ref) noexcept {
  Attr attr = SBX_TRY(attr_of_lower(ref));
  attr.owner = ids_.served(attr.owner);
  attr.nlink = static_nlink_ && attr.is_dir() ? 1 : attr.nlink;
  return attr;
}

FsResult<Attr> Overlay::attr_of_lower(LowerRef ref) noexcept {
  Attr attr = SBX_TRY(lower_->attr(ref));
  attr.owner = ids_.from_lower(attr.owner);
  return attr;
}

FsResult<struct stat> Overlay::host_stat(Node& node) noexcept {
  if (node.pinned) {
    return sys::at::stat(node.pinned->get());
  }
  if (node.id == kRootNode) {
    return sys::at::stat(upper_->root());
  }
  if (!node.work_name.empty()) {
    return sys::at::stat(upper_->work(), node.work_name.c_str());
  }
  if (const FdRef known = fds_.find(node.id.get())) {
    return sys::at::stat(known->get());
  }
  if (node.links.empty()) {
    return no(ESTALE);
  }
  const Node::Link& link = node.links.front();
  const FdRef dir = SBX_TRY(dir_fd(*link.dir));
  return sys::at::stat(dir->get(), link.name.c_str());
}

FsResult<Attr> Overlay::attr_of(Node& node, Access access) noexcept {
  if (node.last != nullptr) {
    return *node.last;
  }
  const struct stat host = SBX_TRY(host_stat(node));
  Attr attr;
  attr.ino = node.ino;
  attr.mode = node.mode;
  attr.owner = ids_.served(node.owner);
  attr.rdev = node.rdev;
  attr.atime = host.st_atim;
  attr.mtime = host.st_mtim;
  attr.ctime = host.st_ctim;
  attr.size = static_cast<std::uint64_t>(host.st_size);
  attr.blocks = static_cast<std::uint64_t>(host.st_blocks);
  attr.nlink = static_cast<std::uint32_t>(host.st_nlink) - (node.work_name.empty() ? 0 : 1);
  if (node.removed && node.pinned != nullptr) {
    attr.nlink = 0;  // though NFS keeps a name for what is open
  }
  if (S_ISDIR(node.mode)) {
    const std::int64_t subdirs = SBX_TRY(index_of(node, access))->subdirs();
    attr.nlink = subdirs < 0 || static_nlink_ ? 1 : static_cast<std::uint32_t>(2 + subdirs);
  } else if (node.metacopy) {
    attr.blocks = attr.size / 512 + (attr.size % 512 != 0 ? 1 : 0);
  } else if (!S_ISREG(node.mode)) {
    attr.blocks = 0;
    attr.size = S_ISLNK(node.mode) ? attr.size : 0;
  }
  return attr;
}

FsResult<std::string> Overlay::read_link(NodeId id) noexcept {
  const std::shared_lock lock(tree_);
  const Found found = SBX_TRY(locate(id));
  if (found.node == nullptr || !found.node->has_upper) {
    return lower_->read_link(found.lower);
  }
  Node& node = *found.node;
  if (!S_ISLNK(node.mode)) {
    return no(EINVAL);
  }
  std::string target(PATH_MAX, '\0');
  if (!node.by_name) {
    const FdRef fd = SBX_TRY(file_fd(node));
    target.resize(
        SBX_TRY(sys::at::pread_full(fd->get(), std::as_writable_bytes(std::span(target)), 0)));
  } else if (node.pinned) {
    target.resize(SBX_TRY(sys::at::read_link(node.pinned->get(), "", target)));
  } else if (!node.work_name.empty()) {
    target.resize(SBX_TRY(sys::at::read_link(upper_->work(), node.work_name.c_str(), target)));
  } else {
    const FdRef dir = SBX_TRY(dir_fd(*node.links.front().dir));
    target.resize(SBX_TRY(sys::at::read_link(dir->get(), node.links.front().name.c_str(), target)));
  }
  return target;
}

FsResult<struct statvfs> Overlay::stat_fs() noexcept {
  if (upper_ == nullptr) {
    // A read-only tree: nothing is free, and programs do not look closer.
    struct statvfs st {};
    st.f_bsize = 4096;
    st.f_frsize = 4096;
    st.f_namemax = kNameMax;
    st.f_flag = ST_RDONLY;
    return st;
  }
  struct statvfs st = SBX_TRY(sys::at::stat_fs(upper_->root()));
  if (quota_) {
    quota_->show(st);
  }
  return st;
}

FsResult<void> Overlay::write_stat(Node& node) noexcept {
  const bool plain = S_ISREG(node.mode) || S_ISDIR(node.mode);
  const OverrideStat stat{node.owner, node.mode & 07777, plain ? 0 : node.mode & S_IFMT, node.rdev};
  if (!node.by_name) {
    const FdRef fd = SBX_TRY(any_fd(node));
    return upper_->write_stat(fd->get(), stat);
  }
  if (node.links.empty()) {
    return {};  // removed: nobody will see it on disk
  }
  const FdRef dir = SBX_TRY(dir_fd(*node.links.front().dir));
  return upper_->write_stat_at(dir->get(), node.links.front().name.c_str(), stat);
}

FsResult<void> Overlay::change_owner_and_mode(Node& node, const AttrChange& change) noexcept {
  const std::uint32_t old_mode = node.mode;
  const Owner old_owner = node.owner;
  if (change.set_uid) {
    node.owner.uid = change.owner.uid;
  }
  if (change.set_gid) {
    node.owner.gid = change.owner.gid;
  }
  if (change.set_mode) {
    node.mode = (node.mode & S_IFMT) | (change.mode & 07777);
  } else if (!S_ISDIR(node.mode) && (change.set_uid || change.set_gid || change.kill_privileges)) {
    // As the kernel's setattr_should_drop_suidgid(); a set-group-id bit without group execution meant
    // mandatory locking once and stays.
    node.mode &= ~static_cast<std::uint32_t>(S_ISUID);
    if ((node.mode & S_IXGRP) != 0) {
      node.mode &= ~static_cast<std::uint32_t>(S_ISGID);
    }
  }
  if (node.mode == old_mode && node.owner == old_owner) {
    return {};
  }
  if (node.by_name && !upper_->native()) {
    const auto converted = symlink_to_placeholder(node);
    if (!converted) {
      node.mode = old_mode;
      node.owner = old_owner;
    }
    return converted;
  }
  const auto written = write_stat(node);
  if (!written) {
    node.mode = old_mode;
    node.owner = old_owner;
  }
  return written;
}

FsResult<void> Overlay::symlink_to_placeholder(Node& node) noexcept {
  // User xattrs cannot be set on symlinks, so one with an owner of its own becomes a file. It has one name:
  // link() does this too before it gives it a second one.
  std::string target(PATH_MAX, '\0');
  if (node.links.empty()) {
    return {};  // removed: nobody will see the owner on disk
  }
  const FdRef dir = SBX_TRY(dir_fd(*node.links.front().dir));
  const std::string& name = node.links.front().name;
  target.resize(SBX_TRY(sys::at::read_link(dir->get(), name.c_str(), target)));
  const struct stat host = SBX_TRY(sys::at::stat(dir->get(), name.c_str()));
  const std::string fresh = upper_->work_name("s");
  const sys::Fd fd = SBX_TRY(upper_->make_file(
      upper_->work(), fresh.c_str(), {node.owner, node.mode & 07777, S_IFLNK, 0}, target));
  SBX_TRY(upper_->set_origin(fd.get(), node.ino));
  const struct timespec times[2] = {host.st_atim, host.st_mtim};
  SBX_TRY(sys::at::set_times(fd.get(), times));
  const struct stat made = SBX_TRY(sys::at::stat(fd.get()));
  const KeepTimes keep(dir->get());
  SBX_TRY(sys::at::rename(upper_->work(), fresh.c_str(), dir->get(), name.c_str()));
  if (quota_) {
    quota_->replace_file(host, made);
  }
  node.by_name = false;
  node.host_ino = made.st_ino;
  return {};
}

FsResult<void> Overlay::change_times(Node& node, const AttrChange& change) noexcept {
  if (!node.by_name) {
    const FdRef fd = SBX_TRY(any_fd(node));
    return sys::at::set_times(fd->get(), change.times);
  }
  if (node.links.empty()) {
    return {};
  }
  const FdRef dir = SBX_TRY(dir_fd(*node.links.front().dir));
  return sys::at::set_times(dir->get(), node.links.front().name.c_str(), change.times);
}

FsResult<bool> Overlay::changes_nothing(const Found& found, const AttrChange& change) noexcept {
  if (change.set_times) {
    return false;
  }
  if (!change.set_mode && !change.set_uid && !change.set_gid && !change.kill_privileges) {
    return true;  // the kernel's own change time, which we keep by ourselves
  }
  if (found.node != nullptr) {
    return false;
  }
  // A file of the lower tree that is given what it has ("chown -R root /usr") needs no copy.
  const Attr attr = SBX_TRY(attr_of_lower(found.lower));
  const bool privileged = !attr.is_dir() && (attr.mode & (S_ISUID | S_ISGID)) != 0;
  return !privileged && (!change.set_mode || (change.mode & 07777) == (attr.mode & 07777)) &&
         (!change.set_uid || change.owner.uid == attr.owner.uid) &&
         (!change.set_gid || change.owner.gid == attr.owner.gid);
}

FsResult<Attr> Overlay::set_attr_locked(NodeId id, const AttrChange& change) noexcept {
  const Found found = SBX_TRY(locate(id));
  if (SBX_TRY(changes_nothing(found, change))) {
    return found.node != nullptr ? attr_of(*found.node, Access::kExclusive)
                                 : served_lower(found.lower);
  }
  Node* node = SBX_TRY(copy_up(found));
  if (node->last != nullptr) {
    return *node->last;  // a removed directory
  }
  SBX_TRY(change_owner_and_mode(*node, change));
  if (change.set_times) {
    SBX_TRY(change_times(*node, change));
  }
  return attr_of(*node, Access::kExclusive);
}

FsResult<Attr> Overlay::set_attr(NodeId id, const AttrChange& wish) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  AttrChange change = wish;
  change.owner = ids_.stored(wish.owner);
  if (change.set_size) {
    SBX_TRY(truncate_data(id, change.size));
  } else {
    SBX_TRY(make_whole(id, &change));
  }
  const std::unique_lock lock(tree_);
  return set_attr_locked(id, change);
}

FsResult<void> Overlay::kill_privileges(Node& node) noexcept {
  AttrChange change;
  change.kill_privileges = true;
  return change_owner_and_mode(node, change);
}

}  // namespace sbx::overlay
