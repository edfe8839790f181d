// The upper directory as a layer of files that are what they seem: what the root of a user namespace with many ids
// can make, and what container engines read. A device, which only the machine's root can make, is a file with an
// override_stat attribute, as fuse-overlayfs and containers/storage know it.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "overlay/core/upper.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace at = sys::at;

FsResult<void> Upper::settle(int fd, const OverrideStat& stat) const noexcept {
  const struct stat st = SBX_TRY(at::stat(fd));
  bool changed = (st.st_mode & 07777) != stat.permissions;
  if (st.st_uid != stat.owner.uid || st.st_gid != stat.owner.gid) {
    const auto given = at::change_owner(fd, stat.owner.uid, stat.owner.gid);
    if (!given && !options_.ignore_owners) {
      return given;
    }
    changed = changed || (stat.permissions & (S_ISUID | S_ISGID)) != 0;  // chown(2) takes these
  }
  return changed ? at::change_mode(fd, stat.permissions) : FsResult<void>();
}

FsResult<void> Upper::settle_at(int dir, const char* name,
                                const OverrideStat& stat) const noexcept {
  const struct stat st = SBX_TRY(at::stat(dir, name));
  if (st.st_uid != stat.owner.uid || st.st_gid != stat.owner.gid) {
    const auto given = at::change_owner(dir, name, stat.owner.uid, stat.owner.gid);
    if (!given && !options_.ignore_owners) {
      return given;
    }
  }
  const bool same = S_ISLNK(st.st_mode) || (st.st_mode & 07777) == stat.permissions;
  return same ? FsResult<void>() : at::change_mode(dir, name, stat.permissions);
}

FsResult<void> Upper::finish_dir(int fd, const OverrideStat& stat) const noexcept {
  return native() && (stat.permissions & S_IWUSR) == 0 ? settle(fd, stat) : FsResult<void>();
}

FsResult<void> Upper::write_stat_at(int dir, const char* name,
                                    const OverrideStat& stat) const noexcept {
  return settle_at(dir, name, stat);
}

FsResult<sys::Fd> Upper::make_native(int dir, const char* name, const OverrideStat& stat,
                                     std::string_view content) const noexcept {
  if (stat.type == S_IFREG || stat.type == 0) {
    return make_file(dir, name, stat, content);
  }
  const bool device = stat.type == S_IFCHR || stat.type == S_IFBLK;
  if (device && stat.rdev == 0 && stat.type == S_IFCHR) {
    return no(EPERM);  // a whiteout; the kernel's overlay lets nobody make one either
  }
  if (stat.type == S_IFDIR) {
    SBX_TRY(at::make_dir(dir, name, 0700));
    auto fd = at::open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    OverrideStat open = stat;
    open.permissions |= S_IWUSR;
    const auto settled = fd ? settle(fd->get(), open) : FsResult<void>(fail(fd.error()));
    if (!settled) {
      (void)at::unlink(dir, name, AT_REMOVEDIR);
      return fail(settled.error());
    }
    return fd;
  }
  if (stat.type == S_IFLNK) {
    SBX_TRY(at::symlink(std::string(content).c_str(), dir, name));
  } else {
    const auto made = at::make_node(dir, name, stat.type | (stat.permissions & 0777), stat.rdev);
    if (!made && device && made.error() == Errno(EPERM)) {
      return make_file(dir, name, stat, content);
    }
    SBX_TRY(FsResult<void>(made));
  }
  const auto settled = settle_at(dir, name, stat);
  if (!settled) {
    (void)at::unlink(dir, name);
    return fail(settled.error());
  }
  return sys::Fd();
}

}  // namespace sbx::overlay
