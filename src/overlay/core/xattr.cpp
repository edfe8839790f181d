// Extended attributes: of the upper file if there is one (copy-up took all of them along), else the lower.

#include <linux/limits.h>
#include <sys/stat.h>

#include "overlay/core/copy_range.hpp"
#include "overlay/core/overlay.hpp"
#include "overlay/core/xattr_policy.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<std::string> Overlay::xattr(NodeId id, std::string_view name) noexcept {
  bool below = false;
  return is_acl(name) ? acl(id, name) : kept_xattr(id, name, below);
}

FsResult<std::string> Overlay::kept_xattr(NodeId id, std::string_view name, bool& below) noexcept {
  const auto disk = xattr_to_disk(name, xattr_form());
  if (!disk) {
    return no(disk.error() == Errno(EPERM) || disk.error() == Errno(ERANGE) ? ENODATA
                                                                            : disk.error().value());
  }
  FdRef fd;
  {
    const std::shared_lock lock(tree_);
    const Found found = SBX_TRY(locate(id));
    below = found.node == nullptr || !found.node->has_upper;
    if (below) {
      return lower_->xattr(found.lower, name);
    }
    if (found.node->by_name || (S_ISDIR(found.node->mode) && found.node->removed)) {
      return no(ENODATA);
    }
    fd = SBX_TRY(any_fd(*found.node));
  }
  std::string value(256, '\0');  // most are shorter
  auto size =
      upper_->marks().get(fd->get(), disk->c_str(), std::as_writable_bytes(std::span(value)));
  if (!size && size.error() == Errno(ERANGE)) {
    value.resize(kXattrSizeMax);
    size = upper_->marks().get(fd->get(), disk->c_str(), std::as_writable_bytes(std::span(value)));
  }
  value.resize(SBX_TRY(FsResult<std::size_t>(size)));
  return value;
}

FsResult<std::vector<std::string>> Overlay::xattr_names(NodeId id) noexcept {
  FdRef fd;
  {
    const std::shared_lock lock(tree_);
    const Found found = SBX_TRY(locate(id));
    if (found.node == nullptr || !found.node->has_upper) {
      std::vector<std::string> names = SBX_TRY(lower_->xattr_names(found.lower));
      std::erase_if(names, [&](const std::string& name) { return !shows(name); });
      return names;
    }
    if (found.node->by_name || (S_ISDIR(found.node->mode) && found.node->removed)) {
      return std::vector<std::string>();
    }
    fd = SBX_TRY(any_fd(*found.node));
  }
  std::string list(kXattrSizeMax, '\0');
  list.resize(SBX_TRY(upper_->marks().list(fd->get(), list)));
  std::vector<std::string> on_disk;
  split_names(list, on_disk);
  std::vector<std::string> names;
  for (const std::string& name : on_disk) {
    auto shown = xattr_from_disk(name, xattr_form());
    if (shown && shows(*shown)) {
      names.push_back(std::move(*shown));
    }
  }
  return names;
}

FsResult<void> Overlay::set_xattr(NodeId id, std::string_view name,
                                  std::span<const std::byte> value, int flags,
                                  bool kill_set_group_id) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  if (is_acl(name)) {
    return set_acl(id, name, value, kill_set_group_id);
  }
  const std::string disk = SBX_TRY(xattr_to_disk(name, xattr_form()));
  SBX_TRY(make_whole(id));
  const std::unique_lock lock(tree_);
  Node* node = SBX_TRY(copy_up(SBX_TRY(locate(id))));
  const FdRef fd = SBX_TRY(any_fd(*node));
  return keep_xattr(fd->get(), disk, value, flags);
}

FsResult<void> Overlay::keep_xattr(int fd, const std::string& disk,
                                   std::span<const std::byte> value, int flags) noexcept {
  const auto set = [&] { return upper_->marks().set(fd, disk.c_str(), value, flags); };
  // Small ones mostly fit into the inode; those that do not are measured, and take a block or more of their own.
  return quota_ ? quota_->metered(fd, SBX_TRY(sys::at::stat(fd)), value.size(), set) : set();
}

FsResult<void> Overlay::remove_xattr(NodeId id, std::string_view name) noexcept {
  if (upper_ == nullptr) {
    return no(EROFS);
  }
  if (is_acl(name)) {
    return remove_acl(id, name);
  }
  const std::string disk = SBX_TRY(xattr_to_disk(name, xattr_form()));
  if (upper_->whole()) {
    SBX_TRY(xattr(id, name));
    SBX_TRY(make_whole(id));
  }
  const std::unique_lock lock(tree_);
  const Found found = SBX_TRY(locate(id));
  if (found.node == nullptr) {
    SBX_TRY(lower_->xattr(found.lower, name));  // nothing to remove: no copy for that
  }
  Node* node = SBX_TRY(copy_up(found));
  const FdRef fd = SBX_TRY(any_fd(*node));
  return upper_->marks().remove(fd->get(), disk.c_str());
}

}  // namespace sbx::overlay
