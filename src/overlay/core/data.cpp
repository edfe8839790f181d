// The bytes of files. The tree lock is held only to find the descriptor.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

/// SEEK_DATA and SEEK_HOLE of a file that claims to have no holes, as lseek(2) allows.
FsResult<std::uint64_t> seek_nowhere(const sys::Fd& fd, std::uint64_t offset, int whence) noexcept {
  const auto size = static_cast<std::uint64_t>(SBX_TRY(sys::at::stat(fd.get())).st_size);
  if (offset >= size) {
    return no(ENXIO);
  }
  return whence == SEEK_DATA ? offset : size;
}

}  // namespace

FsResult<Overlay::Source> Overlay::source_of(NodeId id) noexcept {
  const std::shared_lock lock(tree_);
  const Found found = SBX_TRY(locate(id));
  if (found.node != nullptr && !S_ISREG(found.node->mode)) {
    return no(S_ISDIR(found.node->mode) ? EISDIR : EINVAL);
  }
  if (found.node == nullptr || !found.node->has_upper) {
    return Source{nullptr, found.lower, kAll};
  }
  Node& node = *found.node;
  if (node.metacopy && !node.partial) {
    return Source{nullptr, found.lower, node.below};
  }
  return Source{SBX_TRY(file_fd(node)), node.metacopy ? node.lower.ref() : kNoLower, node.below,
                node.below_stored};
}

FsResult<std::size_t> Overlay::read(NodeId id, std::uint64_t offset,
                                    std::span<std::byte> data) noexcept {
  // The lower file stays valid: the kernel, which asks, knows it.
  const Source source = SBX_TRY(source_of(id));
  if (source.in_parts()) {
    return read_parts(source, offset, data);
  }
  if (source.fd != nullptr) {
    return sys::at::pread_full(source.fd->get(), data, offset);
  }
  // Cut already, but its server was killed before it could say that nothing is in the lower tree any more.
  const std::uint64_t there = source.below > offset ? source.below - offset : 0;
  return lower_->read(source.lower, offset,
                      data.first(std::min<std::uint64_t>(data.size(), there)));
}

FsResult<FdRef> Overlay::writable_fd(NodeId id, std::uint64_t keep) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  Source source = SBX_TRY(source_of(id));
  if (source.fd == nullptr || source.in_parts()) {
    SBX_TRY(materialise(id, keep));
    source = SBX_TRY(source_of(id));
  }
  return source.fd != nullptr ? FsResult<FdRef>(std::move(source.fd)) : no(EIO);
}

FsResult<void> Overlay::materialise(NodeId id, std::uint64_t keep) noexcept {
  const std::lock_guard copying(copying_[id.get() % copying_.size()]);
  Source source;
  bool partial = false;
  {
    const std::unique_lock lock(tree_);
    Node* node = SBX_TRY(copy_up(SBX_TRY(locate(id))));
    if (!S_ISREG(node->mode)) {
      return no(EINVAL);
    }
    if (!node->metacopy) {
      return {};  // another request was faster
    }
    source = Source{SBX_TRY(file_fd(*node)), node->lower.ref(), node->below, node->below_stored};
    partial = node->partial;
  }
  const int fd = source.fd->get();
  const struct stat before = SBX_TRY(sys::at::stat(fd));
  const auto size = static_cast<std::uint64_t>(before.st_size);
  // If we are killed, a hole still is the lower file's: so no block may be half copied.
  const std::uint64_t unit = std::max<std::uint64_t>(upper_->hole_unit(), 1);
  const std::uint64_t blocks = keep < size ? (keep + unit - 1) / unit * unit : size;
  const std::uint64_t length = std::min({blocks, source.below, size});
  if (length > 0) {
    if (unit == 1 && !partial && !upper_->whole()) {
      SBX_TRY(upper_->set_copying(fd));  // holes tell nothing here
    }
    SBX_TRY(metered(fd, 0, length, [&] {
      return partial ? fill_holes(source, length) : lower_->copy_data(source.lower, fd, length);
    }));
    if (durability_ == Durability::kDurable) {
      // The mark must not be gone from the disk before the data is there.
      SBX_TRY(sys::at::sync(fd, sys::at::SyncKind::kDataOnly));
    }
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    SBX_TRY(sys::at::set_times(fd, times));
  }
  if (keep < size) {
    // Without the mark, what was not copied would be zeros.
    SBX_TRY(metered(fd, 0, 0, [&] { return sys::at::truncate(fd, keep); }));
  }
  const std::unique_lock lock(tree_);
  Node* node = nodes_.find(id);
  if (node == nullptr) {
    return no(ESTALE);
  }
  node->below = std::min(node->below, keep);
  if (length > 0 && upper_->native()) {
    SBX_TRY(restore_after_copy(*node, fd));
  }
  // In memory first is wrong: a failure here must leave the file as it was.
  SBX_TRY(upper_->clear_metacopy(fd));
  node->metacopy = false;
  node->partial = false;
  return {};
}

FsResult<void> Overlay::restore_after_copy(const Node& node, int fd) noexcept {
  // Writing the data took these from the copy, as writing does.
  if ((node.mode & (S_ISUID | S_ISGID)) != 0) {
    SBX_TRY(upper_->write_stat(fd, {node.owner, node.mode & 07777, 0, 0}));
  }
  constexpr const char* kCapability = "security.capability";
  const auto capability = lower_->xattr(node.lower.ref(), kCapability);
  if (capability && sys::at::get_xattr(fd, kCapability, {}).has_value() == false) {
    (void)sys::at::set_xattr(fd, kCapability,
                             std::as_bytes(std::span(*capability)));  // see copy_xattrs
  }
  return {};
}

FsResult<void> Overlay::make_whole(NodeId id, const AttrChange* change) noexcept {
  if (upper_ == nullptr || !upper_->whole()) {
    return {};
  }
  {
    const std::shared_lock lock(tree_);
    const Found found = SBX_TRY(locate(id));
    const bool in_lower = found.node == nullptr || !found.node->has_upper || found.node->metacopy;
    if (!in_lower || !S_ISREG(SBX_TRY(mode_of(found))) ||
        (change != nullptr && SBX_TRY(changes_nothing(found, *change)))) {
      return {};
    }
  }
  return materialise(id, kAll);
}

FsResult<void> Overlay::make_child_whole(NodeId dir, Name name) noexcept {
  if (upper_ == nullptr || !upper_->whole()) {
    return {};
  }
  FsResult<Found> found = no(ENOENT);  // holds a lower file until its data is copied
  {
    const std::unique_lock lock(tree_);
    found = child(SBX_TRY(locate_dir(dir)), name, Access::kExclusive);
    if (!found || S_ISDIR(SBX_TRY(mode_of(*found)))) {
      return {};  // whoever called asks again and says so
    }
  }
  return make_whole(id_of(*found));
}

FsResult<Overlay::Source> Overlay::writable_source(NodeId id) noexcept {
  Source source = SBX_TRY(source_of(id));
  return source.fd == nullptr && SBX_TRY(begin_parts(id)) ? source_of(id)
                                                          : FsResult<Source>(std::move(source));
}

FsResult<void> Overlay::write_data(NodeId id, std::uint64_t offset,
                                   std::span<const std::byte> data) noexcept {
  Source source = SBX_TRY(writable_source(id));
  if (source.fd != nullptr && !source.in_parts()) {
    return write_metered(source.fd->get(), data, offset);
  }
  if (!source.in_parts() || upper_->hole_unit() == 0) {
    return write_metered(SBX_TRY(writable_fd(id, kAll))->get(), data, offset);
  }
  const std::lock_guard copying(copying_[id.get() % copying_.size()]);
  source = SBX_TRY(source_of(id));
  if (source.in_parts() && !source.below_stored) {
    SBX_TRY(set_below(id, source.below));  // the file may grow beyond what was cut off it
  }
  return write_part(source, offset, data);
}

FsResult<void> Overlay::write_metered(int fd, std::span<const std::byte> data,
                                      std::uint64_t offset) noexcept {
  return metered(fd, offset, data.size(), [&] { return sys::at::pwrite_full(fd, data, offset); });
}

FsResult<void> Overlay::truncate_data(NodeId id, std::uint64_t size) noexcept {
  const Source source = SBX_TRY(size > 0 ? writable_source(id) : source_of(id));
  if (size == 0 || !source.in_parts()) {
    const FdRef fd = SBX_TRY(writable_fd(id, size));
    return metered(fd->get(), 0, 0, [&] { return sys::at::truncate(fd->get(), size); });
  }
  const std::lock_guard copying(copying_[id.get() % copying_.size()]);
  const int fd = source.fd->get();
  SBX_TRY(metered(fd, 0, 0, [&] { return sys::at::truncate(fd, size); }));
  return set_below(id, size);
}

FsResult<void> Overlay::write(NodeId id, std::uint64_t offset, std::span<const std::byte> data,
                              bool clear_privileges) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  SBX_TRY(write_data(id, offset, data));
  if (!clear_privileges) {
    return {};
  }
  const std::unique_lock lock(tree_);
  Node* node = nodes_.find(id);
  return node == nullptr ? FsResult<void>() : kill_privileges(*node);
}

FsResult<void> Overlay::allocate(NodeId id, int mode, std::uint64_t offset,
                                 std::uint64_t length) noexcept {
  const FdRef fd = SBX_TRY(writable_fd(id, kAll));
  const std::uint64_t grows = (mode & FALLOC_FL_PUNCH_HOLE) != 0 ? 0 : length;
  return metered(fd->get(), offset, grows,
                 [&] { return sys::at::allocate(fd->get(), mode, offset, length); });
}

FsResult<std::uint64_t> Overlay::seek(NodeId id, std::uint64_t offset, int whence) noexcept {
  const Source source = SBX_TRY(source_of(id));
  if (source.in_parts()) {
    return seek_nowhere(*source.fd, offset, whence);
  }
  // The file offset that this moves is used by nobody: all reads and writes carry their own.
  return source.fd != nullptr ? sys::at::seek(source.fd->get(), offset, whence)
                              : lower_->seek(source.lower, offset, whence);
}

FsResult<std::size_t> Overlay::copy_range(NodeId from, std::uint64_t from_offset, NodeId to,
                                          std::uint64_t to_offset, std::size_t length) noexcept {
  const Source source = SBX_TRY(source_of(from));
  const Source old = SBX_TRY(source_of(to));
  if (source.fd == nullptr || source.in_parts() || old.in_parts() ||
      (old.fd == nullptr && SBX_TRY(begin_parts(to)))) {
    return no(EOPNOTSUPP);  // the kernel copies through its page cache then
  }
  const FdRef target = SBX_TRY(writable_fd(to, kAll));
  return metered(target->get(), to_offset, length, [&] {
    return sys::at::copy_range(source.fd->get(), from_offset, target->get(), to_offset, length);
  });
}

FsResult<void> Overlay::sync(NodeId id, bool data_only) noexcept {
  if (durability_ == Durability::kVolatile) {
    return {};
  }
  FdRef fd;
  {
    const std::shared_lock lock(tree_);
    const Found found = SBX_TRY(locate(id));
    if (found.node == nullptr || !found.node->has_upper || found.node->by_name ||
        (S_ISDIR(found.node->mode) && found.node->removed)) {
      return {};
    }
    fd = SBX_TRY(any_fd(*found.node));
  }
  SBX_TRY(
      sys::at::sync(fd->get(), data_only ? sys::at::SyncKind::kDataOnly : sys::at::SyncKind::kAll));
  return upper_->marks().sync();
}

}  // namespace sbx::overlay
