#include "sys/ns.hpp"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "sys/file.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {

std::uint64_t clone_flags(const Namespaces& namespaces) {
  std::uint64_t flags = 0;
  flags |= namespaces.user ? std::uint64_t{CLONE_NEWUSER} : 0U;
  flags |= namespaces.mount ? std::uint64_t{CLONE_NEWNS} : 0U;
  flags |= namespaces.pid ? std::uint64_t{CLONE_NEWPID} : 0U;
  flags |= namespaces.ipc ? std::uint64_t{CLONE_NEWIPC} : 0U;
  flags |= namespaces.uts ? std::uint64_t{CLONE_NEWUTS} : 0U;
  flags |= namespaces.cgroup ? std::uint64_t{CLONE_NEWCGROUP} : 0U;
  flags |= namespaces.net ? std::uint64_t{CLONE_NEWNET} : 0U;
  return flags;
}

Result<Cloned> clone_into(const Namespaces& namespaces, Parentage parentage) {
  int pidfd = -1;
  clone_args args{};
  args.flags = clone_flags(namespaces) | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  if (parentage == Parentage::kSibling) {
    args.flags |= CLONE_PARENT;  // with our own exit signal; clone(2) takes no other
  } else {
    args.exit_signal = SIGCHLD;
  }
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) {
    return fail(Error::system("create namespaces", ""));
  }
  return Cloned{static_cast<pid_t>(pid), pid == 0 ? Fd() : Fd(pidfd)};
}

Result<Cloned> fork_role() {
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(Error::system("start a process", ""));
  }
  if (pid == 0) {
    return Cloned{};
  }
  return Cloned{pid, SBX_TRY(open_process(pid))};
}

Result<void> signal_process(int pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) != 0 && errno != ESRCH) {
    return fail(Error::system("send a signal to the sandbox", ""));
  }
  return {};
}

Result<Fd> open_process(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) {
    return fail(Error::system("watch a process", std::to_string(pid)));
  }
  return Fd(static_cast<int>(fd));
}

bool single_threaded() {
  const auto tasks = list_dir(AT_FDCWD, "/proc/self/task");
  return !tasks || tasks->size() == 1;
}

Result<void> close_all_but(std::initializer_list<int> keep) {
  std::vector<int> kept(keep);
  std::erase_if(kept, [](int fd) { return fd <= STDERR_FILENO; });
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > from) {
      (void)raw::close_range(from, number - 1);  // cannot fail with such arguments
    }
    from = number + 1;
  }
  (void)raw::close_range(from, ~0U);
  return {};
}

}  // namespace sbx::sys
