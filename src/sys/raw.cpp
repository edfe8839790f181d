#include "sys/raw.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

// glibc 2.36 declares these in <sys/mount.h>, which clashes with <linux/mount.h>; older ones not at all.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace sbx::sys::raw {
namespace {

constexpr int kMntDetach = 2;

long checked(long result) noexcept { return result < 0 ? -errno : result; }

template <class... Args>
long call(long number, Args... args) noexcept {
  long result = 0;
  do {
    result = ::syscall(number, args...);
  } while (result < 0 && errno == EINTR);
  return checked(result);
}

std::uint64_t attribute_bits(const MountAttributes& attributes) noexcept {
  std::uint64_t bits = 0;
  bits |= attributes.read_only ? MOUNT_ATTR_RDONLY : 0U;
  bits |= attributes.no_suid ? MOUNT_ATTR_NOSUID : 0U;
  bits |= attributes.no_dev ? MOUNT_ATTR_NODEV : 0U;
  bits |= attributes.no_exec ? MOUNT_ATTR_NOEXEC : 0U;
  return bits;
}

}  // namespace

long open(int dir, const char* path, int flags, unsigned mode) noexcept {
  return call(SYS_openat, dir, path, flags | O_CLOEXEC, mode);
}

long open_resolved(int dir, const char* path, int flags, unsigned mode,
                   std::uint64_t resolve) noexcept {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = resolve;
  return call(SYS_openat2, dir, path, &how, sizeof how);
}

long close(int fd) noexcept { return checked(::syscall(SYS_close, fd)); }
long read(int fd, void* data, std::size_t size) noexcept { return call(SYS_read, fd, data, size); }
long write(int fd, const void* data, std::size_t size) noexcept {
  return call(SYS_write, fd, data, size);
}
long fstat(int fd, struct stat* out) noexcept { return checked(::fstat(fd, out)); }
long readahead(int fd, std::uint64_t offset, std::size_t size) noexcept {
  return call(SYS_readahead, fd, offset, size);
}
long mkdir(int dir, const char* path, unsigned mode) noexcept {
  return call(SYS_mkdirat, dir, path, mode);
}
long mknod_regular(int dir, const char* path, unsigned mode) noexcept {
  return call(SYS_mknodat, dir, path, S_IFREG | mode, 0);
}
long symlink(const char* target, int dir, const char* path) noexcept {
  return call(SYS_symlinkat, target, dir, path);
}
long chdir(const char* path) noexcept { return call(SYS_chdir, path); }
long fchdir(int fd) noexcept { return call(SYS_fchdir, fd); }
long fchmod(int fd, unsigned mode) noexcept { return call(SYS_fchmod, fd, mode); }
long fchown(int fd, uid_t owner, gid_t group) noexcept {
  return call(SYS_fchown, fd, owner, group);
}
long set_times(int fd, const timespec& time) noexcept {
  const timespec both[2] = {time, time};
  return call(SYS_utimensat, fd, nullptr, both, 0);
}
long dup2(int from, int to) noexcept {
  // dup3 refuses equal descriptors; there the close-on-exec mark must go instead.
  return from == to ? call(SYS_fcntl, from, F_SETFD, 0) : call(SYS_dup3, from, to, 0);
}
long close_on_exec_from(unsigned first) noexcept {
  return call(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
}
long close_range(unsigned first, unsigned last) noexcept {
  return call(SYS_close_range, first, last, 0);
}
long umask(unsigned mask) noexcept { return call(SYS_umask, mask); }

long mount(const char* source, const char* target, const char* type, unsigned long flags,
           const char* data) noexcept {
  return checked(::mount(source, target, type, flags, data));
}

long umount_lazily(const char* target) noexcept { return checked(::umount2(target, kMntDetach)); }

long open_tree_clone(int dir, const char* path, bool recursive) noexcept {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (recursive ? unsigned{AT_RECURSIVE} : 0U) |
                         (*path == '\0' ? unsigned{AT_EMPTY_PATH} : 0U);
  return call(SYS_open_tree, dir, path, flags);
}

long move_mount(int tree, int target) noexcept {
  return call(SYS_move_mount, tree, "", target, "",
              MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

long set_mount_attributes(int tree, const MountAttributes& attributes, bool recursive) noexcept {
  struct mount_attr attr {};
  attr.attr_set = attribute_bits(attributes);
  constexpr unsigned kPrivate = 1U << 18U;  // MS_PRIVATE of mount(2)
  constexpr unsigned kSlave = 1U << 19U;    // MS_SLAVE
  attr.propagation = attributes.make_private ? kPrivate : attributes.make_slave ? kSlave : 0U;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? unsigned{AT_RECURSIVE} : 0U);
  return call(SYS_mount_setattr, tree, "", flags, &attr, sizeof attr);
}

long pivot_root(const char* new_root, const char* put_old) noexcept {
  return call(SYS_pivot_root, new_root, put_old);
}

long make_mount(const char* type, std::span<const FsOption> options,
                const MountAttributes& attributes) noexcept {
  const long context = call(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) {
    return context;
  }
  const int fd = static_cast<int>(context);
  long result = 0;
  for (const FsOption& option : options) {
    const unsigned command = option.value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    result = call(SYS_fsconfig, fd, command, option.key, option.value, 0);
    if (result < 0) {
      break;
    }
  }
  if (result >= 0) {
    result = call(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  }
  if (result >= 0) {
    result = call(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attribute_bits(attributes));
  }
  (void)close(fd);
  return result;
}

long set_groups(const gid_t* groups, std::size_t count) noexcept {
  return call(SYS_setgroups, count, groups);
}
long set_gid(gid_t gid) noexcept { return call(SYS_setresgid, gid, gid, gid); }
long set_uid(uid_t uid) noexcept { return call(SYS_setresuid, uid, uid, uid); }

long limit_bounding_set(std::uint64_t mask, unsigned last_capability) noexcept {
  for (unsigned cap = 0; cap <= last_capability; ++cap) {
    if ((mask >> cap & 1U) == 0 && ::prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EINVAL) {
      return -errno;
    }
  }
  return 0;
}

long set_capabilities(std::uint64_t mask) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (std::size_t word = 0; word < data.size(); ++word) {
    const auto bits = static_cast<std::uint32_t>(mask >> (32 * word));
    data.at(word).effective = bits;
    data.at(word).permitted = bits;
  }
  const long result = call(SYS_capset, &header, data.data());
  if (result < 0) {
    return result;
  }
  return checked(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

long keep_capabilities(bool keep) noexcept {
  return checked(::prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0));
}
long set_no_new_privs() noexcept { return checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
long set_dumpable(bool dumpable) noexcept {
  return checked(::prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0));
}
long set_parent_death_signal(int signal) noexcept {
  return checked(::prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0));
}
long set_host_name(const char* name, std::size_t size) noexcept {
  return call(SYS_sethostname, name, size);
}
long set_process_name(const char* name) noexcept {
  return checked(::prctl(PR_SET_NAME, name, 0, 0, 0));
}
long new_session() noexcept { return call(SYS_setsid); }
long new_session_keyring() noexcept {
  return call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
}
long set_controlling_terminal(int fd) noexcept { return checked(::ioctl(fd, TIOCSCTTY, 0)); }

long open_pty_peer(int master) noexcept {
  int locked = 0;
  const long unlocked = checked(::ioctl(master, TIOCSPTLCK, &locked));
  return unlocked < 0 ? unlocked
                      : checked(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

long fork() noexcept {
  // Not glibc's fork(): its at-fork handlers take locks and touch the heap.
  return call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

long execve(const char* path, char* const* argv, char* const* envp) noexcept {
  return call(SYS_execve, path, argv, envp);
}

void exit(int code) noexcept {
  for (;;) {
    (void)::syscall(SYS_exit_group, code);
  }
}

long kill(pid_t pid, int signal) noexcept { return checked(::kill(pid, signal)); }

long reap(Exit* out) noexcept {
  int status = 0;
  const long pid = call(SYS_wait4, -1, &status, WNOHANG, nullptr);
  if (pid <= 0) {
    return pid;
  }
  out->pid = static_cast<pid_t>(pid);
  out->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return 1;
}

long block_all_signals() noexcept {
  sigset_t all{};
  ::sigfillset(&all);
  return checked(::sigprocmask(SIG_SETMASK, &all, nullptr));
}

long unblock_all_signals() noexcept {
  sigset_t none{};
  ::sigemptyset(&none);
  return checked(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

void default_all_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    (void)::sigaction(signal, &action, nullptr);  // SIGKILL, SIGSTOP and glibc's own two refuse
  }
}

long wait_any_signal(int ms) noexcept {
  sigset_t all{};
  ::sigfillset(&all);
  const timespec most{ms / 1000, static_cast<long>(ms % 1000) * 1000000};
  return checked(::sigtimedwait(&all, nullptr, ms < 0 ? nullptr : &most));
}

std::int64_t monotonic_ns() noexcept {
  struct timespec now {};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

long send(int socket, const void* data, std::size_t size, int fd) noexcept {
  iovec part{const_cast<void*>(data), size};  // NOLINT: sendmsg(2) does not write through it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return call(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

long receive(int socket, void* data, std::size_t size, int* fd) noexcept {
  iovec part{data, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  *fd = -1;
  const long got = call(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) {
    return got;
  }
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof *fd)) {
    std::memcpy(fd, CMSG_DATA(header), sizeof *fd);
  }
  return got;
}

}  // namespace sbx::sys::raw
