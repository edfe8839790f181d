#include "overlay/core/xattr_policy.hpp"

#include "overlay/core/posix_acl.hpp"

namespace sbx::overlay {

namespace {

constexpr std::string_view kUser = "user.";
constexpr std::string_view kOverlay = "user.overlay.";
constexpr std::string_view kOverlayEscape = "user.overlay.overlay.";
constexpr std::string_view kContainers = "user.containers.";
constexpr std::string_view kOurs = "user.sbx.";
constexpr std::string_view kFuseOverlayfs = "user.fuseoverlayfs.";
constexpr std::string_view kOursEscape = "user.sbx.escape.";
constexpr std::string_view kCapability = "security.capability";
constexpr std::string_view kCapabilityOnDisk = "user.sbx.security.capability";
constexpr std::string_view kAclOnDisk = "user.sbx.system.posix_acl_";
constexpr std::size_t kNameLimit = 255;  // XATTR_NAME_MAX, <linux/limits.h>

std::string join(std::string_view head, std::string_view tail) {
  return std::string(head).append(tail);
}

/// Names that tools like us keep their marks under.
bool reserved(std::string_view name) {
  return name.starts_with(kContainers) || name.starts_with(kOurs) ||
         name.starts_with(kFuseOverlayfs);
}

}  // namespace

FsResult<std::string> xattr_to_disk(std::string_view name, XattrForm form) noexcept {
  std::string disk;
  if (name == kCapability) {
    return std::string(form == XattrForm::kNative ? kCapability : kCapabilityOnDisk);
  }
  if (is_acl(name)) {
    return form == XattrForm::kNative ? std::string(name) : join("user.sbx.", name);
  }
  if (name.starts_with("trusted.")) {
    return no(EPERM);  // as for every user namespace but the first
  }
  if (!name.starts_with(kUser)) {
    return no(EOPNOTSUPP);
  }
  if (name.starts_with(kOverlay)) {
    disk = join(kOverlayEscape, name.substr(kOverlay.size()));
  } else if (reserved(name)) {
    disk = join(kOursEscape, name.substr(kUser.size()));
  } else {
    disk = name;
  }
  if (disk.size() > kNameLimit) {
    return no(ERANGE);
  }
  return disk;
}

std::optional<std::string> xattr_from_disk(std::string_view name, XattrForm form) {
  if (name == (form == XattrForm::kNative ? kCapability : kCapabilityOnDisk)) {
    return std::string(kCapability);
  }
  if (form == XattrForm::kNative ? is_acl(name) : name.starts_with(kAclOnDisk)) {
    return std::string(form == XattrForm::kNative ? name : name.substr(kOurs.size()));
  }
  if (name.starts_with(kOverlayEscape)) {
    return join(kOverlay, name.substr(kOverlayEscape.size()));
  }
  if (name.starts_with(kOursEscape)) {
    return join(kUser, name.substr(kOursEscape.size()));
  }
  if (!name.starts_with(kUser) || name.starts_with(kOverlay) || reserved(name)) {
    return std::nullopt;
  }
  return std::string(name);
}

bool xattr_shown(std::string_view name) noexcept {
  return name.starts_with(kUser) || name == kCapability;
}

}  // namespace sbx::overlay
