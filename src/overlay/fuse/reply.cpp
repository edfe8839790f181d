#include <sys/stat.h>

#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

Overlay& overlay_of(fuse_req_t request) noexcept {
  return static_cast<Served*>(fuse_req_userdata(request))->overlay;
}

Caller caller_of(fuse_req_t request) noexcept {
  const struct fuse_ctx* context = fuse_req_ctx(request);
  return {{context->uid, context->gid}, context->umask};
}

struct stat to_stat(const Attr& attr) noexcept {
  struct stat st {};
  st.st_ino = attr.ino;
  st.st_mode = attr.mode;
  st.st_nlink = attr.nlink;
  st.st_uid = attr.owner.uid;
  st.st_gid = attr.owner.gid;
  st.st_rdev = attr.rdev;
  st.st_size = static_cast<off_t>(attr.size);
  st.st_blocks = static_cast<blkcnt_t>(attr.blocks);
  st.st_blksize = kBlockSize;
  st.st_atim = attr.atime;
  st.st_mtim = attr.mtime;
  st.st_ctim = attr.ctime;
  return st;
}

double seconds(Trust trust) noexcept {
  return trust == Trust::kForever ? kForeverSeconds : kBrieflySeconds;
}

struct fuse_entry_param to_entry(const Entry& entry) noexcept {
  struct fuse_entry_param param {};
  param.ino = entry.id.get();
  param.entry_timeout = seconds(entry.trust);
  param.attr_timeout = param.entry_timeout;
  if (entry.id != NodeId(0)) {
    param.attr = to_stat(entry.attr);
  }
  return param;
}

void reply(fuse_req_t request, const FsResult<void>& result) noexcept {
  (void)fuse_reply_err(request, result ? 0 : result.error().value());
}

void reply(fuse_req_t request, const FsResult<Entry>& result) noexcept {
  if (!result) {
    (void)fuse_reply_err(request, result.error().value());
    return;
  }
  const struct fuse_entry_param param = to_entry(*result);
  if (fuse_reply_entry(request, &param) == -ENOENT && result->id != NodeId(0)) {
    // Whoever asked was interrupted: the kernel does not know the node.
    overlay_of(request).forget(result->id, 1);
  }
}

void reply_attr(fuse_req_t request, const FsResult<Attr>& result, Trust trust) noexcept {
  if (!result) {
    (void)fuse_reply_err(request, result.error().value());
    return;
  }
  const struct stat st = to_stat(*result);
  (void)fuse_reply_attr(request, &st, seconds(trust));
}

}  // namespace sbx::overlay
