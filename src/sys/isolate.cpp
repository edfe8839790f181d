#include "sys/isolate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "sys/caps.hpp"
#include "sys/file.hpp"
#include "sys/idmap.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

constexpr std::size_t kCopyMax = std::size_t{32} << 10U;

Result<void> check(long result, const char* op, std::string_view subject = {}) {
  if (result < 0) {
    return fail(Error::system(op, subject, static_cast<int>(-result)));
  }
  return {};
}

void close_between(unsigned first, unsigned last) {
  if (first <= last) {
    (void)raw::close_range(first, last);  // cannot fail with such arguments
  }
}

/// A user namespace in which we keep our ids, so that files in its tmpfs can have an owner.
Result<void> make_namespaces() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return fail(Error::system("make namespaces for a helper", ""));
  }
  // A process that is not dumpable does not own its /proc files, and changing ids made us so.
  SBX_TRY(check(raw::set_dumpable(true), "make dumpable"));
  IdMaps maps;
  maps.uids = {{uid, uid, 1}};
  maps.gids = {{gid, gid, 1}};
  MapWriting writing = SBX_TRY(MapWriting::start(::getpid(), maps, MapWriter::kOurselves, true));
  return writing.finish();
}

/// A detached copy of the host's file or directory, stripped of all it could do. Made before the new root is in
/// place: afterwards its path is gone.
Result<Fd> copy_view(const RootView& view) {
  long tree = raw::open_tree_clone(raw::kCwd, view.source.c_str(), false);
  if (tree == -EINVAL) {
    tree = raw::open_tree_clone(raw::kCwd, view.source.c_str(),
                                true);  // it has mounts below that may not be uncovered
  }
  SBX_TRY(check(tree, "copy mount", view.source));
  return Fd(static_cast<int>(tree));
}

constexpr raw::MountAttributes kInert{true, true, true, true, false};

/// For a file that was deleted while something still shows it (a bind mount of a container engine): the kernel
/// refuses to mount that again.
Result<void> copy_contents(int root, const RootView& view) {
  const std::string text = SBX_TRY(read_file_at(AT_FDCWD, view.source, kCopyMax));
  const Fd copy = SBX_TRY(open_at(root, view.target, O_WRONLY | O_NOFOLLOW));
  return write_full(copy.get(), text, view.target);
}

Result<void> attach_view(int root, const RootView& view, int tree) {
  const struct stat info = SBX_TRY(stat_fd(tree, view.source));
  const char* name = view.target.c_str();
  const bool directory = S_ISDIR(info.st_mode);
  SBX_TRY(check(directory ? raw::mkdir(root, name, 0555) : raw::mknod_regular(root, name, 0444),
                "make", view.target));
  const long target = raw::open(root, name, O_PATH | O_NOFOLLOW);
  SBX_TRY(check(target, "open", view.target));
  const Fd place(static_cast<int>(target));
  const long moved = raw::move_mount(tree, place.get());
  return moved == -ENOENT && !directory ? copy_contents(root, view)
                                        : check(moved, "mount", view.target);
}

Result<void> make_link(int root, const RootLink& link) {
  const std::size_t slash = link.path.find('/');
  if (slash != std::string::npos) {
    const long made = raw::mkdir(root, link.path.substr(0, slash).c_str(), 0555);
    SBX_TRY(check(made == -EEXIST ? 0 : made, "make directory", link.path));
  }
  return check(raw::symlink(link.target.c_str(), root, link.path.c_str()), "make symlink",
               link.path);
}

Result<Fd> make_empty_root() {
  // 64 KiB and 16 files: nothing is ever written there, and a full tmpfs would be memory that no one sees.
  const std::array<raw::FsOption, 3> options{
      {{"size", "64k"}, {"nr_inodes", "16"}, {"mode", "0555"}}};
  const long made = raw::make_mount("tmpfs", options, {false, true, true, true, false});
  SBX_TRY(check(made, "make", "tmpfs"));
  return Fd(static_cast<int>(made));
}

// The new root is mounted over /proc, the one directory that every host has; after pivot_root(".", ".") the old root
// lies on top of the new one and is taken off. See pivot_root(2), NOTES.
Result<void> attach_empty_root(int root) {
  const long proc = raw::open(raw::kCwd, "/proc", O_PATH | O_DIRECTORY);
  SBX_TRY(check(proc, "open", "/proc"));
  const Fd place(static_cast<int>(proc));
  return check(raw::move_mount(root, place.get()), "mount empty root at", "/proc");
}

Result<void> pivot_into(int root, bool recursive) {
  SBX_TRY(check(raw::fchdir(root), "enter", "empty root"));
  SBX_TRY(check(raw::pivot_root(".", "."), "pivot_root"));
  SBX_TRY(check(raw::umount_lazily("."), "unmount", "old root"));
  SBX_TRY(check(raw::chdir("/"), "enter", "/"));
  return check(raw::set_mount_attributes(root, kInert, recursive), "make read-only", "/");
}

Result<void> move_into(int root, const RootPlan& plan, const std::vector<Fd>& trees) {
  SBX_TRY(attach_empty_root(root));
  // Views are attached only now: the kernel refuses to mount on a mount that is detached (before Linux 6.15).
  for (std::size_t i = 0; i < trees.size(); ++i) {
    SBX_TRY(attach_view(root, plan.views.at(i), trees.at(i).get()));
  }
  for (const RootLink& link : plan.links) {
    SBX_TRY(make_link(root, link));
  }
  return pivot_into(root, true);
}

void lower_limit(__rlimit_resource resource, std::uint64_t value) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) == 0) {
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(resource, &limit);  // lowering cannot fail
  }
}

std::uint64_t mapped_bytes() {
  std::array<char, 64> text{};
  const long fd = raw::open(raw::kCwd, "/proc/self/statm", O_RDONLY);
  if (fd < 0) {
    return 0;
  }
  const Fd file(static_cast<int>(fd));
  const long got = raw::read(file.get(), text.data(), text.size());
  std::uint64_t pages = 0;
  (void)std::from_chars(text.data(), text.data() + std::max(got, 0L), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Result<Fd> forget_descriptors(std::span<const int> keep) {
  std::vector<int> kept(keep.begin(), keep.end());
  std::erase_if(kept, [](int fd) { return fd <= STDERR_FILENO; });
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    close_between(from, number - 1);
    from = number + 1;
  }
  close_between(from, ~0U);
  Fd null = SBX_TRY(open_at(AT_FDCWD, "/dev/null", O_RDWR));
  SBX_TRY(check(raw::dup2(null.get(), STDIN_FILENO), "replace", "standard input"));
  SBX_TRY(check(raw::dup2(null.get(), STDOUT_FILENO), "replace", "standard output"));
  return null;
}

Result<void> forget_stderr(Fd null) {
  return check(raw::dup2(null.get(), STDERR_FILENO), "replace", "standard error");
}

Result<void> leave_root(std::uint32_t id) {
  if (::geteuid() != 0) {
    return {};
  }
  SBX_TRY(check(raw::set_groups(nullptr, 0), "drop supplementary groups"));
  SBX_TRY(check(raw::set_gid(id), "become group", std::to_string(id)));
  return check(raw::set_uid(id), "become user", std::to_string(id));
}

void limit_resources(const HelperLimits& limits) {
  lower_limit(RLIMIT_NOFILE, limits.descriptors);
  lower_limit(RLIMIT_CORE, 0);
  lower_limit(RLIMIT_NPROC, 0);
  if (limits.more_memory != 0) {
    lower_limit(RLIMIT_AS, mapped_bytes() + limits.more_memory);
  }
}

Result<void> enter_empty_root(const RootPlan& plan) {
  SBX_TRY(make_namespaces());
  std::vector<Fd> trees;
  for (const RootView& view : plan.views) {
    trees.push_back(SBX_TRY(copy_view(view)));
  }
  const Fd root = SBX_TRY(make_empty_root());
  return move_into(root.get(), plan, trees);
}

Result<void> enter_root_with(int tree) {
  SBX_TRY(check(raw::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "detach", "/"));
  const Fd root = SBX_TRY(make_empty_root());
  SBX_TRY(attach_empty_root(root.get()));
  SBX_TRY(check(raw::mkdir(root.get(), "image", 0555), "make", "/image"));
  const long target = raw::open(root.get(), "image", O_PATH | O_NOFOLLOW);
  SBX_TRY(check(target, "open", "/image"));
  const Fd place(static_cast<int>(target));
  SBX_TRY(check(raw::move_mount(tree, place.get()), "mount", "/image"));
  return pivot_into(root.get(), false);
}

Result<void> drop_privileges(pid_t parent) {
  // The bounding set needs CAP_SETPCAP, which we have if we made a user namespace; without it there is nothing in the
  // permitted set that execve could add to, and no_new_privs forbids that anyway.
  (void)raw::limit_bounding_set(0, last_capability());
  SBX_TRY(check(raw::set_capabilities(0), "drop capabilities"));
  SBX_TRY(check(raw::set_no_new_privs(), "set no_new_privs"));
  SBX_TRY(check(raw::set_dumpable(false), "make undumpable"));
  if (parent != 0) {
    // After the changes above: they reset it, see PR_SET_PDEATHSIG(2const).
    SBX_TRY(check(raw::set_parent_death_signal(SIGKILL), "watch parent"));
    if (::getppid() != parent) {
      return fail(
          Error::make(ErrorCode::kDenied, "watch parent", std::to_string(parent), "it has ended"));
    }
  }
  return {};
}

bool in_initial_user_namespace() {
  const Result<std::vector<IdRange>> ids = own_ids("/proc/self/uid_map");
  return ids && ids->size() == 1 && ids->front().first == 0 && ids->front().count == UINT32_MAX;
}

}  // namespace sbx::sys
