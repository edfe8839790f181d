#include "sys/signal_fd.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

sigset_t forwarded_signals() {
  sigset_t set{};
  ::sigfillset(&set);
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGTSTP, SIGTTIN, SIGTTOU}) {
    ::sigdelset(&set, signal);
  }
  return set;
}

}  // namespace

Result<SignalFd> SignalFd::make() {
  const sigset_t set = forwarded_signals();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
    return fail(Error::system("block signals", ""));
  }
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) {
    return fail(Error::system("wait for signals", ""));
  }
  return SignalFd(Fd(fd));
}

SignalFd::~SignalFd() {
  if (fd_) {
    const sigset_t set = forwarded_signals();
    (void)::sigprocmask(SIG_UNBLOCK, &set, nullptr);  // cannot fail with such arguments
  }
}

int SignalFd::next() const {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                              : 0;
}

void reset_signals_for_role() {
  raw::default_all_signals();
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE}) {
    (void)::signal(signal, SIG_IGN);  // NOLINT: cannot fail for these
  }
  (void)raw::unblock_all_signals();
}

}  // namespace sbx::sys
