// The order of things: everything that can fail is done by the process that was started, so that its exit code tells;
// the mount is made before the fork, so that it is there when that process ends (its first requests wait in the
// kernel); threads begin after it.

#include "overlay_mount/mount.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "overlay/fuse/file_system.hpp"
#include "sys/file.hpp"
#include "sys/fuse_mount.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"

namespace sbx::overlay_mount {

namespace {

Result<sys::Fd> open_dir(const std::string& path) {
  return sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

/// A folder of our own in the work directory, which others may use after us. The kernel's overlay has it too.
Result<sys::Fd> open_work(const std::string& path) {
  const sys::Fd parent = SBX_TRY(open_dir(path));
  const auto made = sys::make_dir_at(parent.get(), "work", 0700);
  if (!made && made.error().code != ErrorCode::kAlreadyExists) {
    return fail(made.error());
  }
  return sys::open_at(parent.get(), "work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Result<overlay::ServeRequest> request_of(const Options& options) {
  overlay::StackLower lower;
  for (const std::string& path : options.lower) {
    lower.roots.push_back(SBX_TRY(open_dir(path)));
  }
  lower.live = options.live;
  overlay::ServeRequest request;
  request.lower = std::move(lower);
  if (!options.upper.empty()) {
    request.upper = SBX_TRY(open_dir(options.upper));
    request.work = SBX_TRY(open_work(options.work));
  }
  request.upper_options.form = options.form;
  request.upper_options.ignore_owners =
      options.ids.all_uid.has_value() || options.ids.all_gid.has_value();
  request.static_nlink = options.static_nlink;
  request.acls = options.acls;
  request.xattrs = options.xattrs;
  request.ids = overlay::IdView::mapped(options.ids);
  request.durability =
      options.durable ? overlay::Durability::kDurable : overlay::Durability::kVolatile;
  request.write_cache =
      options.write_back ? overlay::WriteCache::kBack : overlay::WriteCache::kThrough;
  request.threads = options.one_thread ? 1 : 0;
  return request;
}

sys::FuseMount mount_of(const Options& options, const std::string& target) {
  // What fuse-overlayfs begins with: libfuse's nosuid and nodev, but for root, whose programs may be set-user-id.
  const bool root = ::geteuid() == 0;
  unsigned long flags = MS_NODEV | MS_NOATIME;
  if (!root) {
    flags |= MS_NOSUID;
  }
  flags = (flags | options.set_flags) & ~options.clear_flags;
  if (options.upper.empty()) {
    flags |= MS_RDONLY;  // whatever "rw" wishes
  }
  sys::FuseMount mount;
  mount.target = target;
  mount.source = options.source;
  mount.type = "sbx-overlay";
  mount.context = options.context;
  mount.flags = flags;
  mount.allow_other = root || options.allow_other;
  mount.default_permissions = true;  // there is no other check
  return mount;
}

/// Descriptors are kept open for speed: as many as we may have.
void raise_limits() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);  // the caches follow what there is
  }
}

/// Away from the terminal and from whoever waits for the end of our output.
Result<void> detach() {
  (void)::setsid();  // fails only for a leader, which a forked process is not
  const sys::Fd null = SBX_TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDWR));
  for (int fd = 0; fd <= 2; ++fd) {
    (void)sys::raw::dup2(null.get(), fd);
  }
  return {};
}

/// Waits for a signal that asks us to end, and unmounts: who has a file open there may go on, since the kernel may hold
/// writes that it has gathered, and we end with the last of them. A second signal ends us at once. The thread ends with the process.
void unmount_on_signal(const sys::SignalFd& signals, const std::string& target) {
  bool asked = false;
  for (;;) {
    struct pollfd waited = {signals.fd(), POLLIN, 0};
    (void)::poll(&waited, 1, -1);
    const int signal = signals.next();
    if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) {
      if (asked || !sys::unmount_fuse(target)) {
        ::_exit(1);
      }
      asked = true;
    }
  }
}

Result<void> serve(overlay::FileSystem& served, sys::Fd device, const std::string& target) {
  (void)sys::raw::chdir("/");  // keeps no directory busy
  const sys::SignalFd signals = SBX_TRY(sys::SignalFd::make());
  std::thread(unmount_on_signal, std::cref(signals), target).detach();
  const auto ended = served.serve(std::move(device));
  // The thread above uses what is about to go out of scope.
  ::_exit(ended ? 0 : 1);
}

}  // namespace

Result<void> mount_and_serve(const Options& options) {
  (void)::umask(0);  // modes are masked already
  raise_limits();
  const std::string target = SBX_TRY(sys::real_path(options.mountpoint));
  auto served = SBX_TRY(overlay::FileSystem::make(SBX_TRY(request_of(options))));
  SBX_TRY(served->prepare());
  sys::Fd device = SBX_TRY(sys::mount_fuse(mount_of(options, target)));
  if (options.foreground) {
    return serve(*served, std::move(device), target);
  }
  const auto forked = sys::fork_role();
  if (!forked) {
    (void)sys::unmount_fuse(target);
    return fail(forked.error());
  }
  if (forked->pid != 0) {
    return {};
  }
  SBX_TRY(detach());
  return serve(*served, std::move(device), target);
}

}  // namespace sbx::overlay_mount
