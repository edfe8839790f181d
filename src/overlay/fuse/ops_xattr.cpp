// Extended attributes. ENOSYS, after which the kernel does not ask again, only where there will never be any.

#include <string>

#include "overlay/fuse/ops.hpp"

namespace sbx::overlay {

namespace {

/// The protocol of getxattr(2): size 0 asks how long the value is.
void reply_sized(fuse_req_t request, const FsResult<std::string>& value,
                 std::size_t size) noexcept {
  if (!value) {
    (void)fuse_reply_err(request, value.error().value());
  } else if (size == 0) {
    (void)fuse_reply_xattr(request, value->size());
  } else if (value->size() > size) {
    (void)fuse_reply_err(request, ERANGE);
  } else {
    (void)fuse_reply_buf(request, value->data(), value->size());
  }
}

/// For a mount without: the kernel never asks again.
bool refused(fuse_req_t request) noexcept {
  if (overlay_of(request).serves_xattrs()) {
    return false;
  }
  (void)fuse_reply_err(request, ENOSYS);
  return true;
}

void on_getxattr(fuse_req_t request, fuse_ino_t id, const char* name, std::size_t size) noexcept {
  if (!overlay_of(request).has_xattrs()) {
    // The kernel's overlay above asks for marks of each file, and each execve for capabilities.
    (void)fuse_reply_err(request, ENOSYS);
    return;
  }
  reply_sized(request, overlay_of(request).xattr(NodeId(id), name), size);
}

void on_listxattr(fuse_req_t request, fuse_ino_t id, std::size_t size) noexcept {
  if (refused(request)) {
    return;
  }
  const auto names = overlay_of(request).xattr_names(NodeId(id));
  if (!names) {
    (void)fuse_reply_err(request, names.error().value());
    return;
  }
  std::string list;
  for (const std::string& name : *names) {
    list.append(name).push_back('\0');
  }
  reply_sized(request, list, size);
}

void on_setxattr(fuse_req_t request, fuse_ino_t id, const char* name, const char* value,
                 std::size_t size, int flags) noexcept {
  if (!refused(request)) {
    reply(request, overlay_of(request).set_xattr(NodeId(id), name,
                                                 std::as_bytes(std::span(value, size)), flags));
  }
}

void on_removexattr(fuse_req_t request, fuse_ino_t id, const char* name) noexcept {
  if (!refused(request)) {
    reply(request, overlay_of(request).remove_xattr(NodeId(id), name));
  }
}

}  // namespace

void add_xattr_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.getxattr = on_getxattr;
  ops.listxattr = on_listxattr;
  ops.setxattr = on_setxattr;
  ops.removexattr = on_removexattr;
}

}  // namespace sbx::overlay
