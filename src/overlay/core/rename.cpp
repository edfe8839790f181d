// rename(2). A directory of the image that moves takes a mark along that says where its lower part lies
// ("redirect"), so nothing is copied.

#include <linux/fs.h>
#include <sys/stat.h>

#include "overlay/core/layer_marks.hpp"
#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

/// One of the two names.
struct Overlay::RenameSide {
  NodeId dir_id;
  Name name;
  bool exists = false;
  Found what;
  std::uint32_t type = 0;
  Node* dir = nullptr;  // with its upper directory, once prepared
};

FsResult<Overlay::RenameSide> Overlay::rename_side(NodeId dir_id, Name name) noexcept {
  if (name.view().size() > kNameMax) {
    return no(ENAMETOOLONG);
  }
  RenameSide side{dir_id, name, false, {}, 0, nullptr};
  auto found = child(SBX_TRY(locate_dir(dir_id)), name, Access::kExclusive);
  if (!found) {
    return found.error() == Errno(ENOENT) ? FsResult<RenameSide>(std::move(side))
                                          : fail(found.error());
  }
  side.exists = true;
  side.what = std::move(*found);
  side.type = S_IFMT & SBX_TRY(mode_of(side.what));
  return side;
}

namespace {

/// Whether `node` is `dir` or lies above it.
bool contains(const Node& node, const Node& dir) {
  for (const Node* at = &dir;; at = at->links.front().dir) {
    if (at == &node) {
      return true;
    }
    if (at->links.empty()) {
      return false;
    }
  }
}

}  // namespace

FsResult<void> Overlay::rename(NodeId from_dir, Name from_name, NodeId to_dir, Name to_name,
                               unsigned flags) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
      flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) {
    return no(EINVAL);
  }
  SBX_TRY(make_child_whole(from_dir, from_name));
  if ((flags & RENAME_EXCHANGE) != 0) {
    SBX_TRY(make_child_whole(to_dir, to_name));
  }
  const std::unique_lock lock(tree_);
  RenameSide from = SBX_TRY(rename_side(from_dir, from_name));
  RenameSide to = SBX_TRY(rename_side(to_dir, to_name));
  const NodeId ids[2] = {id_of(from.what), id_of(to.what)};
  auto renamed = rename_sides(from, to, flags);
  for (const NodeId id : ids) {
    drop_if_unused(nodes_.find(id));  // what was loaded for this alone
  }
  return renamed;
}

FsResult<void> Overlay::rename_sides(RenameSide& from, RenameSide& to, unsigned flags) noexcept {
  if (!from.exists) {
    return no(ENOENT);
  }
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  if (exchanges && !to.exists) {
    return no(ENOENT);
  }
  if (exchanges && !upper_->can().exchange) {
    return no(EINVAL);  // as such a file system says itself
  }
  if ((flags & RENAME_NOREPLACE) != 0 && to.exists) {
    return no(EEXIST);
  }
  if (to.exists && from.what.node == to.what.node && from.what.lower == to.what.lower) {
    return {};  // two names of one file: POSIX wants nothing done
  }
  if (to.exists && !exchanges) {
    if (from.type == S_IFDIR && to.type != S_IFDIR) {
      return no(ENOTDIR);
    }
    if (from.type != S_IFDIR && to.type == S_IFDIR) {
      return no(EISDIR);
    }
    if (to.type == S_IFDIR && !SBX_TRY(shows_empty(to.what))) {
      return no(ENOTEMPTY);
    }
  }
  if (upper_->whole()) {
    if (is_whiteout_name(to.name.view())) {
      return no(EINVAL);
    }
    // No other overlay would find the lower part again. Programs copy on EXDEV, as between file systems.
    if ((from.type == S_IFDIR && from.what.lower != kNoLower) ||
        (exchanges && to.type == S_IFDIR && to.what.lower != kNoLower)) {
      return no(EXDEV);
    }
  }
  from.dir = SBX_TRY(writable_dir(from.dir_id));
  to.dir = SBX_TRY(writable_dir(to.dir_id));
  SBX_TRY(index_of(*from.dir, Access::kExclusive));
  SBX_TRY(index_of(*to.dir, Access::kExclusive));
  from.what.node = SBX_TRY(copy_up(from.what));
  if (from.type == S_IFDIR && contains(*from.what.node, *to.dir)) {
    return no(EINVAL);
  }
  return exchanges ? exchange(from, to) : rename_one(from, to);
}

FsResult<void> Overlay::prepare_move(RenameSide& what, RenameSide& to) noexcept {
  Node& node = *what.what.node;
  const bool directory = S_ISDIR(node.mode);
  if (node.lower && (directory || node.metacopy)) {
    const FdRef fd = SBX_TRY(any_fd(node));
    if (directory) {
      SBX_TRY(upper_->set_has_moved());
    }
    SBX_TRY(upper_->set_redirect(fd->get(), SBX_TRY(lower_path(node.lower.ref()))));
    node.moved = directory;
  } else if (directory && lower_type(*to.dir, to.name.view()) == S_IFDIR) {
    const FdRef fd = SBX_TRY(dir_fd(node));
    SBX_TRY(upper_->set_opaque(fd->get()));
  }
  return {};
}

FsResult<void> Overlay::clear_target(RenameSide& to) noexcept {
  if (!to.exists) {
    return {};
  }
  if (!upper_->whole() && to.what.node == nullptr && to.type != S_IFDIR &&
      SBX_TRY(lower_->attr(to.what.lower)).nlink > 1) {
    to.what.node = SBX_TRY(copy_up(to.what));
  }
  if (to.what.node == nullptr || to.dir->index->find(to.name.view()) == nullptr) {
    return {};  // nothing on disk
  }
  Node& node = *to.what.node;
  if (S_ISDIR(node.mode) && node.index != nullptr && node.index->has_whiteouts()) {
    // Opaque first: with its whiteouts gone the lower names would show.
    const FdRef fd = SBX_TRY(dir_fd(node));
    SBX_TRY(upper_->set_opaque(fd->get()));
    SBX_TRY(upper_->clear_dir(fd->get()));
  }
  return begin_removal(node, *to.dir, to.name);
}

FsResult<void> Overlay::move_on_disk(RenameSide& from, RenameSide& to) noexcept {
  const FdRef from_fd = SBX_TRY(dir_fd(*from.dir));
  const FdRef to_fd = SBX_TRY(dir_fd(*to.dir));
  const IndexEntry* target = to.dir->index->find(to.name.view());
  const bool leave_whiteout = lower_type(*from.dir, from.name.view()) != 0;
  const bool onto_whiteout = target != nullptr && target->whiteout;
  if (from.type == S_IFDIR && onto_whiteout) {
    return upper_->move_onto_whiteout(from_fd->get(), from.name, to_fd->get(), to.name,
                                      leave_whiteout);
  }
  const std::uint64_t gone = onto_whiteout ? upper_->last_whiteout(to_fd->get(), to.name) : 0;
  SBX_TRY(leave_whiteout
              ? upper_->rename_leaving_whiteout(from_fd->get(), from.name, to_fd->get(), to.name)
              : sys::at::rename(from_fd->get(), from.name.c_str(), to_fd->get(), to.name.c_str()));
  upper_->marks().forget(gone);
  return {};
}

FsResult<void> Overlay::rename_one(RenameSide& from, RenameSide& to) noexcept {
  SBX_TRY(prepare_move(from, to));
  SBX_TRY(clear_target(to));
  IndexEntry* target = to.dir->index->find(to.name.view());
  Node* replaced = target != nullptr && !target->whiteout ? to.what.node : nullptr;
  const auto moved = move_on_disk(from, to);
  if (!moved) {
    if (replaced != nullptr) {
      cancel_removal(*replaced);
    }
    return moved;
  }
  Node& node = *from.what.node;
  if (to.exists && to.what.node == nullptr) {
    remove_lower_node(to.what.lower);
  }
  IndexEntry& source = *from.dir->index->find(from.name.view());
  if (lower_type(*from.dir, from.name.view()) != 0) {
    from.dir->index->set_whiteout(source);
  } else {
    from.dir->index->erase(source);
  }
  name_node(*to.dir, to.name, node);
  drop_link(node, *from.dir, from.name.view());
  if (replaced != nullptr) {
    finish_removal(*replaced, *to.dir, to.name);
  }
  return {};
}

FsResult<void> Overlay::exchange(RenameSide& from, RenameSide& to) noexcept {
  to.what.node = SBX_TRY(copy_up(to.what));
  if (to.type == S_IFDIR && contains(*to.what.node, *from.dir)) {
    return no(EINVAL);
  }
  SBX_TRY(prepare_move(from, to));
  SBX_TRY(prepare_move(to, from));
  const FdRef from_fd = SBX_TRY(dir_fd(*from.dir));
  const FdRef to_fd = SBX_TRY(dir_fd(*to.dir));
  SBX_TRY(sys::at::rename(from_fd->get(), from.name.c_str(), to_fd->get(), to.name.c_str(),
                          RENAME_EXCHANGE));
  name_node(*to.dir, to.name, *from.what.node);
  name_node(*from.dir, from.name, *to.what.node);
  drop_link(*from.what.node, *from.dir, from.name.view());
  drop_link(*to.what.node, *to.dir, to.name.view());
  return {};
}

}  // namespace sbx::overlay
