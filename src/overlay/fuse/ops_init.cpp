// The handshake, and requests about the file system as a whole.

#include <linux/fs.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>

#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

namespace {

void on_init(void* served, struct fuse_conn_info* connection) noexcept {
  // Everything is asked for here, nothing left to libfuse's defaults.
  constexpr unsigned kWanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
                               FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS |
                               FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT |
                               FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_ASYNC_DIO | FUSE_CAP_IOCTL_DIR;
  const Served& how = *static_cast<const Served*>(served);
  const unsigned back = how.write_cache == WriteCache::kBack ? FUSE_CAP_WRITEBACK_CACHE : 0U;
  const unsigned asked = how.listing == Listing::kAsAsked ? FUSE_CAP_READDIRPLUS_AUTO : 0U;
  // Where a default ACL is, the umask is not for the kernel to apply.
  const unsigned acls = how.overlay.serves_acls() ? FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK : 0U;
  connection->want = connection->capable & (kWanted | back | asked | acls);
  connection->max_write = 1U << 20;
  // Read-ahead and write-back requests under way at once; the kernel's default of 12 starves several readers.
  connection->max_background = 64;
  connection->congestion_threshold = 48;
  connection->time_gran = 1;
}

void on_statfs(fuse_req_t request, fuse_ino_t) noexcept {
  const auto st = overlay_of(request).stat_fs();
  if (!st) {
    (void)fuse_reply_err(request, st.error().value());
    return;
  }
  struct statvfs answer = *st;
  answer.f_namemax = kNameMax;
  (void)fuse_reply_statfs(request, &answer);
}

/// File attributes ("chattr"): all files have none. Never ENOSYS: the kernel's overlay, when it lies on
/// top, asks at each copy-up (Linux 5.15 fails it on ENOSYS).
void on_ioctl(fuse_req_t request, fuse_ino_t, unsigned command, void*, struct fuse_file_info*,
              unsigned flags, const void* in, std::size_t in_size, std::size_t out_size) noexcept {
  if ((flags & FUSE_IOCTL_COMPAT) != 0) {
    (void)fuse_reply_err(request, ENOTTY);
    return;
  }
  const bool asks = command == FS_IOC_GETFLAGS || command == FS_IOC_FSGETXATTR;
  const bool sets = command == FS_IOC_SETFLAGS || command == FS_IOC_FSSETXATTR;
  if (!asks && !sets) {
    (void)fuse_reply_err(request, ENOTTY);
    return;
  }
  if (sets) {
    const auto* bytes = static_cast<const unsigned char*>(in);
    const bool zero =
        std::all_of(bytes, bytes + in_size, [](unsigned char byte) { return byte == 0; });
    if (!zero) {
      (void)fuse_reply_err(request, EOPNOTSUPP);
      return;
    }
  }
  const struct fsxattr none {};
  (void)fuse_reply_ioctl(request, 0, &none, asks ? std::min(out_size, sizeof(none)) : 0);
}

}  // namespace

struct fuse_lowlevel_ops make_ops() noexcept {
  struct fuse_lowlevel_ops ops {};
  add_init_ops(ops);
  add_lookup_ops(ops);
  add_attr_ops(ops);
  add_name_ops(ops);
  add_data_ops(ops);
  add_dir_ops(ops);
  add_xattr_ops(ops);
  return ops;
}

void add_init_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.init = on_init;
  ops.statfs = on_statfs;
  ops.ioctl = on_ioctl;
}

}  // namespace sbx::overlay
