#include "transfer/call_filter.hpp"

// The list is what strace shows of all verbs (plain and TLS registries, name resolution, archives of all kinds), with what belongs to
// it: where the C library has several calls for one thing, all of them.

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "sys/seccomp_filter.hpp"

namespace sbx::transfer {
namespace {

// As glibc makes a thread, and nothing else: neither a process nor a namespace.
constexpr std::uint32_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM |
                                  CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS |
                                  CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

void allow_files(sys::SeccompFilter& filter) {
  filter.allow({SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_lseek,
                SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_fstatfs, SYS_openat,
                SYS_openat2, SYS_getdents64, SYS_faccessat, SYS_faccessat2, SYS_readlinkat});
  // Landlock says where; without it these are the user's own powers.
  filter.allow({SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_linkat, SYS_symlinkat,
                SYS_ftruncate, SYS_fallocate, SYS_fchmod, SYS_utimensat, SYS_fsync, SYS_fdatasync,
                SYS_syncfs, SYS_sync_file_range, SYS_fadvise64, SYS_copy_file_range, SYS_sendfile,
                SYS_flock});
  // A container's upper directory, which is tried out when it is opened (export).
  filter.allow({SYS_fgetxattr, SYS_fsetxattr, SYS_fremovexattr, SYS_flistxattr});
  filter.allow_if_one_of(SYS_fcntl, 1, {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC},
                         Errno(EINVAL));
  filter.allow_if_one_of(SYS_ioctl, 1, {FIONREAD, FIONBIO, TCGETS}, Errno(ENOTTY));
#ifdef SYS_open  // the old calls exist on x86 only
  filter.allow({SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_rename,
                SYS_mkdir, SYS_rmdir});
#endif
}

void allow_waiting(sys::SeccompFilter& filter) {
  filter.allow({SYS_ppoll, SYS_pselect6, SYS_pipe2, SYS_eventfd2, SYS_clock_gettime,
                SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_wait4,
                SYS_restart_syscall});
#ifdef SYS_poll
  filter.allow({SYS_poll, SYS_select, SYS_pipe, SYS_time});
#endif
}

void allow_process(sys::SeccompFilter& filter, Talks talks) {
  filter.allow({SYS_brk,
                SYS_munmap,
                SYS_mremap,
                SYS_madvise,
                SYS_futex,
                SYS_getrandom,
                SYS_set_robust_list,
                SYS_set_tid_address,
                SYS_sched_yield,
                SYS_sched_getaffinity,
                SYS_sched_getparam,
                SYS_sched_getscheduler,
                SYS_getcpu,
                SYS_rt_sigaction,
                SYS_rt_sigprocmask,
                SYS_rt_sigreturn,
                SYS_rt_sigtimedwait,
                SYS_rt_sigpending,
                SYS_sigaltstack,
                SYS_exit,
                SYS_exit_group,
                SYS_getpid,
                SYS_gettid,
                SYS_getppid,
                SYS_getuid,
                SYS_geteuid,
                SYS_getgid,
                SYS_getegid,
                SYS_uname,
                SYS_sysinfo,
                SYS_getrusage});
#ifdef SYS_rseq
  filter.allow(SYS_rseq);
#endif
  // clone3 has its flags in memory, where a filter cannot look: glibc goes on with clone.
  filter.allow_if_one_of(SYS_clone, 0, {kThread}, Errno(EPERM));
  // abort(), of ourselves.
  filter.allow_if_one_of(SYS_tgkill, 0, {static_cast<std::uint32_t>(::getpid())}, Errno(EPERM));
  filter.allow_if_one_of(SYS_prctl, 0, {PR_SET_NAME, PR_GET_NAME}, Errno(EINVAL));
  filter.allow_if_one_of(SYS_prlimit64, 2, {0}, Errno(EPERM));  // reading them
  if (talks == Talks::kToRegistries) {
    filter.allow(SYS_mmap);  // nsswitch.conf may name modules, which are libraries
  } else {
    filter.allow_without_bits(SYS_mmap, 2, PROT_EXEC, Errno(EPERM));
  }
  filter.allow_without_bits(SYS_mprotect, 2, PROT_EXEC, Errno(EPERM));
}

void allow_sockets(sys::SeccompFilter& filter) {
  filter.allow({SYS_connect, SYS_bind, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom,
                SYS_recvmsg, SYS_recvmmsg, SYS_shutdown, SYS_getsockopt, SYS_setsockopt,
                SYS_getsockname, SYS_getpeername});
  // Local ones for nscd, systemd-resolved and sssd; netlink for the addresses of this machine, which sort the server's.
  filter.allow_if_one_of(SYS_socket, 0, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK},
                         Errno(EAFNOSUPPORT));
  filter.allow_if_one_of(SYS_socketpair, 0, {AF_UNIX}, Errno(EAFNOSUPPORT));
}

void kill_attackers(sys::SeccompFilter& filter) {
  filter.kill({SYS_execve,
               SYS_execveat,
               SYS_ptrace,
               SYS_process_vm_readv,
               SYS_process_vm_writev,
               SYS_mount,
               SYS_umount2,
               SYS_pivot_root,
               SYS_chroot,
               SYS_unshare,
               SYS_setns,
               SYS_bpf,
               SYS_userfaultfd,
               SYS_io_uring_setup,
               SYS_perf_event_open,
               SYS_keyctl,
               SYS_add_key,
               SYS_request_key,
               SYS_init_module,
               SYS_finit_module,
               SYS_open_by_handle_at,
               SYS_move_mount,
               SYS_open_tree,
               SYS_fsopen,
               SYS_setuid,
               SYS_setgid,
               SYS_setresuid,
               SYS_setresgid,
               SYS_setgroups,
               SYS_capset});
}

}  // namespace

FsResult<void> filter_calls(Talks talks) {
  sys::SeccompFilter filter;
  allow_files(filter);
  allow_waiting(filter);
  allow_process(filter, talks);
  if (talks == Talks::kToRegistries) {
    allow_sockets(filter);
  }
  kill_attackers(filter);
  return filter.install(Errno(ENOSYS));
}

}  // namespace sbx::transfer
