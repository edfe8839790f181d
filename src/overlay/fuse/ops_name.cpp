// Names made, moved and removed. There is no create: answered with ENOSYS (which libfuse does for us),
// the kernel uses mknod and an open that sends no message; a file made with mode 0444 is still open
// for writing, as the kernel remembers that this open made it (FMODE_CREATED).

#include "overlay/fuse/ops.hpp"

namespace sbx::overlay {

namespace {

void on_mknod(fuse_req_t request, fuse_ino_t dir, const char* name, mode_t mode,
              dev_t device) noexcept {
  reply(request,
        overlay_of(request).make_node(NodeId(dir), name, mode, device, caller_of(request)));
}

void on_mkdir(fuse_req_t request, fuse_ino_t dir, const char* name, mode_t mode) noexcept {
  reply(request, overlay_of(request).make_dir(NodeId(dir), name, mode, caller_of(request)));
}

void on_symlink(fuse_req_t request, const char* target, fuse_ino_t dir, const char* name) noexcept {
  reply(request, overlay_of(request).make_symlink(NodeId(dir), name, target, caller_of(request)));
}

void on_link(fuse_req_t request, fuse_ino_t id, fuse_ino_t dir, const char* name) noexcept {
  reply(request, overlay_of(request).link(NodeId(id), NodeId(dir), name));
}

void on_unlink(fuse_req_t request, fuse_ino_t dir, const char* name) noexcept {
  reply(request, overlay_of(request).unlink(NodeId(dir), name));
}

void on_rmdir(fuse_req_t request, fuse_ino_t dir, const char* name) noexcept {
  reply(request, overlay_of(request).remove_dir(NodeId(dir), name));
}

void on_rename(fuse_req_t request, fuse_ino_t from_dir, const char* from, fuse_ino_t to_dir,
               const char* to, unsigned flags) noexcept {
  reply(request, overlay_of(request).rename(NodeId(from_dir), from, NodeId(to_dir), to, flags));
}

}  // namespace

void add_name_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.mknod = on_mknod;
  ops.mkdir = on_mkdir;
  ops.symlink = on_symlink;
  ops.link = on_link;
  ops.unlink = on_unlink;
  ops.rmdir = on_rmdir;
  ops.rename = on_rename;
}

}  // namespace sbx::overlay
