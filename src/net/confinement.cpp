#include "net/confinement.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/log.hpp"
#include "net/resolv_conf.hpp"
#include "sys/file.hpp"
#include "sys/isolate.hpp"
#include "sys/landlock.hpp"
#include "sys/raw.hpp"
#include "sys/seccomp_filter.hpp"

namespace sbx::net {
namespace {

// One descriptor per connection of the sandbox, and libslirp refuses further ones politely. It takes at most 256 KiB of
// buffers for each.
constexpr std::uint64_t kDescriptors = 4096;
constexpr std::uint64_t kMemory = (kDescriptors * 256 + 64 * 1024) * 1024;

/// A stage that this machine cannot do: expected where we are a sandbox ourselves, worth a word elsewhere.
void report_missing(bool ordinary_host, const char* stage, const Error& error) {
  if (ordinary_host) {
    log::warn("the network process goes on without {}: {}", stage, error.message());
  } else {
    log::debug("the network process goes on without {}: {}", stage, error.message());
  }
}

/// Second best to the empty root, for where we may not mount: nothing but the resolver's file can be opened.
Result<void> forbid_paths(const std::string& resolv_conf) {
  const auto as_error = [](Errno error) {
    return Error::system("restrict by Landlock", "", error.value());
  };
  FsResult<sys::Landlock> rules = sys::Landlock::create(sys::LandlockNetwork::kUntouched);
  if (!rules) {
    return fail(as_error(rules.error()));
  }
  const Result<sys::Fd> file = sys::open_at(AT_FDCWD, resolv_conf, O_PATH);
  if (file) {
    if (FsResult<void> allowed = rules->allow_below(file->get(), sys::LandlockAccess::kRead);
        !allowed) {
      return fail(as_error(allowed.error()));
    }
  }
  if (FsResult<void> enforced = rules->enforce(); !enforced) {
    return fail(as_error(enforced.error()));
  }
  return {};
}

void allow_descriptors(sys::SeccompFilter& filter) {
  filter.allow({SYS_ppoll, SYS_read, SYS_write, SYS_writev, SYS_close, SYS_lseek, SYS_fstat,
                SYS_newfstatat});
#ifdef SYS_poll  // the old calls exist on x86 only
  filter.allow({SYS_poll, SYS_stat});
  filter.allow_without_bits(SYS_open, 1, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND, Errno(EROFS));
#endif
  // Reading only: resolv.conf, which is all there is.
  filter.allow_without_bits(SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND, Errno(EROFS));
  filter.allow_if_one_of(SYS_fcntl, 1, {F_GETFL, F_SETFL, F_GETFD, F_SETFD}, Errno(0));
  filter.allow_if_one_of(SYS_ioctl, 1, {FIONREAD, FIONBIO, SIOCGIFINDEX}, Errno(ENOTTY));
}

void allow_sockets(sys::SeccompFilter& filter) {
  filter.allow({SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_connect, SYS_bind,
                SYS_shutdown, SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_getpeername});
  // An errno and no kill: GLib and the C library try AF_UNIX first when they look up an interface of a link-local
  // name server, and go on when there is none. SOCK_RAW needs a capability that we do not have.
  filter.allow_if_one_of(SYS_socket, 0, {AF_INET, AF_INET6}, Errno(EAFNOSUPPORT));
}

void allow_process(sys::SeccompFilter& filter) {
  filter.allow({SYS_getpid, SYS_gettid});  // the log asks who it is
#ifdef __SANITIZE_ADDRESS__
  filter.allow(SYS_sigaltstack);  // AddressSanitizer does before each call that does not return
#endif
  filter.allow({SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_clock_gettime,
                SYS_gettimeofday, SYS_getrandom, SYS_rt_sigreturn, SYS_rt_sigprocmask,
                SYS_restart_syscall, SYS_exit_group, SYS_exit});
  filter.allow_without_bits(SYS_mmap, 2, PROT_EXEC, Errno(0));
  filter.allow_without_bits(SYS_mprotect, 2, PROT_EXEC, Errno(0));
}

Result<void> install_filter() {
  sys::SeccompFilter filter;
  allow_descriptors(filter);
  allow_sockets(filter);
  allow_process(filter);
  if (FsResult<void> installed = filter.install(); !installed) {
    return fail(Error::system("filter the system calls of the network process", "",
                              installed.error().value()));
  }
  return {};
}

std::vector<int> needed_descriptors(const SlirpRequest& request) {
  std::vector<int> needed = request.keep_fds;
  needed.insert(needed.end(), request.death_fds.begin(), request.death_fds.end());
  return needed;
}

}  // namespace

Result<void> confine(const SlirpRequest& request) {
  sys::Fd null = SBX_TRY(sys::forget_descriptors(needed_descriptors(request)));
  // Ctrl-C in the terminal is for the command in the sandbox; it fails for the leader of a group, which has none.
  (void)sys::raw::new_session();
  (void)::signal(SIGPIPE, SIG_IGN);  // a peer that hung up is an errno for libslirp
  const bool ordinary_host = sys::in_initial_user_namespace();  // asked while /proc is there
  sys::limit_resources({kDescriptors, kMemory});
  if (Result<void> left = sys::leave_root(request.unprivileged_id); !left) {
    report_missing(ordinary_host, "an unprivileged user id", left.error());
  }
  Result<void> emptied = sys::enter_empty_root(resolver_view(request.resolv_conf));
  SBX_TRY(sys::drop_privileges(request.parent));
  if (!emptied) {
    report_missing(ordinary_host, "an empty root directory", emptied.error());
    if (Result<void> forbidden = forbid_paths(request.resolv_conf); !forbidden) {
      report_missing(ordinary_host, "Landlock", forbidden.error());
    }
  }
  if (!log::enabled(log::Level::kDebug)) {
    SBX_TRY(sys::forget_stderr(std::move(null)));
  }
  return install_filter();
}

}  // namespace sbx::net
