// stat, chmod, chown, truncate, utimens, readlink.

#include <sys/stat.h>

#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/raw_ops.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

namespace {

void on_getattr(fuse_req_t request, fuse_ino_t id, struct fuse_file_info*) noexcept {
  Overlay& overlay = overlay_of(request);
  reply_attr(request, overlay.get_attr(NodeId(id)), overlay.trust(NodeId(id)));
}

struct timespec chosen(int wanted, int value_flag, int now_flag, struct timespec value) noexcept {
  if ((wanted & now_flag) != 0) {
    return {0, UTIME_NOW};
  }
  return (wanted & value_flag) != 0 ? value : timespec{0, UTIME_OMIT};
}

void on_setattr(fuse_req_t request, fuse_ino_t id, struct stat* st, int wanted,
                struct fuse_file_info*) noexcept {
  AttrChange change;
  change.set_mode = (wanted & FUSE_SET_ATTR_MODE) != 0;
  change.set_uid = (wanted & FUSE_SET_ATTR_UID) != 0;
  change.set_gid = (wanted & FUSE_SET_ATTR_GID) != 0;
  change.set_size = (wanted & FUSE_SET_ATTR_SIZE) != 0;
  change.mode = st->st_mode;
  change.owner = {st->st_uid, st->st_gid};
  change.size = static_cast<std::uint64_t>(st->st_size);
  change.times[0] = chosen(wanted, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, st->st_atim);
  change.times[1] = chosen(wanted, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, st->st_mtim);
  change.set_times = change.times[0].tv_nsec != UTIME_OMIT || change.times[1].tv_nsec != UTIME_OMIT;
  change.kill_privileges = wants_privileges_killed(current_request());
  // FUSE_SET_ATTR_CTIME: the file on disk has its own, which this request sets to now.
  reply_attr(request, overlay_of(request).set_attr(NodeId(id), change), Trust::kForever);
}

void on_readlink(fuse_req_t request, fuse_ino_t id) noexcept {
  const auto target = overlay_of(request).read_link(NodeId(id));
  if (target) {
    (void)fuse_reply_readlink(request, target->c_str());
  } else {
    (void)fuse_reply_err(request, target.error().value());
  }
}

}  // namespace

void add_attr_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.getattr = on_getattr;
  ops.setattr = on_setattr;
  ops.readlink = on_readlink;
}

}  // namespace sbx::overlay
