// POSIX ACLs. The kernel checks them (FUSE_POSIX_ACL); we keep them, with ids as stored, and give new files theirs.
// The mode is what counts: what an access ACL says of owner, mask and others is what the mode says, whatever lies on disk.
// So chmod(2) need not touch it, and a file whose ACL says no more than its mode has none on disk.

#include <fcntl.h>
#include <sys/stat.h>

#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

FsResult<void> drop(const Marks& marks, int fd, const std::string& disk) noexcept {
  const auto removed = marks.remove(fd, disk.c_str());
  const bool none =
      !removed && (removed.error() == Errno(ENODATA) || removed.error() == Errno(EOPNOTSUPP));
  return none ? FsResult<void>() : removed;
}

}  // namespace

std::string Overlay::acl_from_lower(std::string_view value) const noexcept {
  auto acl = PosixAcl::parse(bytes(value));
  if (!acl) {
    return {};
  }
  // What a user namespace cannot name is called -1.
  const auto known = [](std::uint32_t id) {
    return id == 0xffffffff ? std::nullopt : std::optional(id);
  };
  acl->map_ids(
      [&](std::uint32_t id) {
        return known(ids_.from_lower({id, 0}).uid);
      },
      [&](std::uint32_t id) {
        return known(ids_.from_lower({0, id}).gid);
      });
  return acl->format();
}

FsResult<std::string> Overlay::acl(NodeId id, std::string_view name) noexcept {
  if (!acls_) {
    return no(EOPNOTSUPP);
  }
  bool below = false;
  std::string kept = SBX_TRY(kept_xattr(id, name, below));
  if (below) {
    kept = acl_from_lower(kept);
  }
  auto acl = PosixAcl::parse(bytes(kept));
  if (!acl) {
    return no(ENODATA);  // an error would keep everybody from the file
  }
  acl->map_ids([&](std::uint32_t user) { return ids_.find_served_uid(user); },
               [&](std::uint32_t group) { return ids_.find_served_gid(group); });
  if (name == kAccessAcl) {
    acl->set_mode(SBX_TRY(get_attr(id)).mode);
  }
  return acl->format();
}

FsResult<void> Overlay::set_acl(NodeId id, std::string_view name, std::span<const std::byte> value,
                                bool kill_set_group_id) noexcept {
  if (!acls_) {
    return no(EOPNOTSUPP);
  }
  auto acl = PosixAcl::parse(value);
  if (!acl) {
    return no(EINVAL);
  }
  acl->map_ids(
      [&](std::uint32_t user) {
        return ids_.stored({user, 0}).uid;
      },
      [&](std::uint32_t group) {
        return ids_.stored({0, group}).gid;
      });
  SBX_TRY(make_whole(id));
  const std::unique_lock lock(tree_);
  const Found found = SBX_TRY(locate(id));
  std::uint32_t mode = SBX_TRY(mode_of(found));
  if (name == kDefaultAcl) {
    return S_ISDIR(mode) ? keep_acl(found, name, &*acl) : no(EACCES);
  }
  if (S_ISLNK(mode)) {
    return no(EOPNOTSUPP);
  }
  mode = (mode & ~0777U) | acl->mode();
  if (kill_set_group_id) {
    mode &= ~static_cast<std::uint32_t>(S_ISGID);
  }
  SBX_TRY(keep_acl(found, name, acl->is_mode() ? nullptr : &*acl));
  AttrChange change;
  change.set_mode = true;
  change.mode = mode & 07777;
  SBX_TRY(set_attr_locked(id, change));
  return {};
}

FsResult<void> Overlay::remove_acl(NodeId id, std::string_view name) noexcept {
  if (!acls_) {
    return no(EOPNOTSUPP);
  }
  bool below = false;
  const auto kept = kept_xattr(id, name, below);
  if (!kept) {  // not there: no error, as of the kernel's file systems, and no copy
    return kept.error() == Errno(ENODATA) ? FsResult<void>() : fail(kept.error());
  }
  SBX_TRY(make_whole(id));
  const std::unique_lock lock(tree_);
  return keep_acl(SBX_TRY(locate(id)), name, nullptr);
}

FsResult<void> Overlay::keep_acl(const Found& found, std::string_view name,
                                 const PosixAcl* acl) noexcept {
  if (acl == nullptr && found.node == nullptr && !lower_->xattr(found.lower, name)) {
    return {};  // nothing to take away
  }
  Node* node = SBX_TRY(copy_up(found));
  if (acl == nullptr && (node->by_name || node->last != nullptr)) {
    return {};
  }
  const std::string disk = SBX_TRY(xattr_to_disk(name, xattr_form()));
  const FdRef fd = SBX_TRY(any_fd(*node));
  if (acl == nullptr) {
    return drop(upper_->marks(), fd->get(), disk);
  }
  const std::string value = acl->format();
  return keep_xattr(fd->get(), disk, bytes(value), 0);
}

FsResult<Overlay::Inherited> Overlay::inherit(Node& dir, std::uint32_t mode,
                                              const Caller& who) noexcept {
  Inherited from{mode & ~(who.umask & 0777U), {}, {}};
  // What in the native form is no file and no directory has no descriptor, so no ACL.
  const bool can = !upper_->native() || S_ISREG(mode) || S_ISDIR(mode);
  if (!acls_ || !can) {
    return from;
  }
  const FdRef fd = SBX_TRY(dir_fd(dir));
  const std::string disk = SBX_TRY(xattr_to_disk(kDefaultAcl, xattr_form()));
  std::array<std::byte, 4096> value;  // NOLINT: filled below; the most that parse() takes
  const auto size = upper_->marks().get(fd->get(), disk.c_str(), value);
  auto acl = size ? PosixAcl::parse(std::span(value).first(*size)) : std::nullopt;
  if (!acl) {
    return from;
  }
  if (S_ISDIR(mode)) {
    from.default_acl = acl->format();
  }
  from.mode = acl->inherit(mode);  // a default ACL takes the place of the umask
  if (!acl->is_mode()) {
    from.access_acl = acl->format();
  }
  return from;
}

FsResult<void> Overlay::give_acls(int fd, const Inherited& from) const noexcept {
  for (const auto& [name, value] :
       {std::pair(kAccessAcl, &from.access_acl), std::pair(kDefaultAcl, &from.default_acl)}) {
    if (!value->empty()) {
      const std::string disk = SBX_TRY(xattr_to_disk(name, xattr_form()));
      SBX_TRY(upper_->marks().set(fd, disk.c_str(), bytes(*value)));
    }
  }
  return {};
}

}  // namespace sbx::overlay
