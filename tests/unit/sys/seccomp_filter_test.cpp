#include "sys/seccomp_filter.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>

#include "sys/raw.hpp"

using namespace sbx;
using namespace sbx::sys;

namespace {

/// Runs `action` under `filter` in a process of its own: its exit code, or minus the signal that killed it.
int run_filtered(SeccompFilter filter, const std::function<int()>& action) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (raw::set_no_new_privs() != 0 || !filter.install()) {
      raw::exit(99);
    }
    raw::exit(action());
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

SeccompFilter base_filter() {
  SeccompFilter filter;
  filter.allow({SYS_exit_group, SYS_getpid});
#ifdef __SANITIZE_ADDRESS__
  filter.allow(SYS_sigaltstack);  // AddressSanitizer does before each call that does not return
#endif
  return filter;
}

int raw_errno(long number, long a = 0, long b = 0, long c = 0) {
  return ::syscall(number, a, b, c) < 0 ? errno : 0;
}

}  // namespace

TEST_CASE("what is named works, what is not kills") {
  CHECK(run_filtered(base_filter(), [] { return raw_errno(SYS_getpid); }) == 0);
  CHECK(run_filtered(base_filter(), [] { return raw_errno(SYS_getuid); }) == -SIGSYS);
  CHECK(run_filtered(base_filter(), [] { return raw_errno(SYS_ptrace); }) == -SIGSYS);
  CHECK(run_filtered(base_filter(), [] { return raw_errno(SYS_execve); }) == -SIGSYS);
}

TEST_CASE("what is not named may fail instead, and what is named to kill kills") {
  const auto run = [](long number) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      SeccompFilter filter = base_filter();
      filter.kill({SYS_ptrace, SYS_execve});
      if (raw::set_no_new_privs() != 0 || !filter.install(Errno(ENOSYS))) {
        raw::exit(99);
      }
      raw::exit(raw_errno(number));
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  };
  CHECK(run(SYS_getpid) == 0);
  CHECK(run(SYS_getuid) == ENOSYS);
  CHECK(run(SYS_ptrace) == -SIGSYS);
  CHECK(run(SYS_execve) == -SIGSYS);
}

TEST_CASE("a refused call fails with its errno") {
  SeccompFilter filter = base_filter();
  filter.refuse(SYS_getuid, Errno(EPERM)).allow(SYS_getgid);
  CHECK(run_filtered(filter, [] { return raw_errno(SYS_getuid); }) == EPERM);
  CHECK(run_filtered(filter, [] { return raw_errno(SYS_getgid); }) == 0);
}

TEST_CASE("one of several values of an argument") {
  SeccompFilter filter = base_filter();
  filter.allow_if_one_of(SYS_socket, 0, {AF_INET, AF_INET6, AF_UNIX}, Errno(EAFNOSUPPORT));
  filter.allow_if_one_of(SYS_fcntl, 1, {F_GETFD}, Errno(0)).allow(SYS_getgid);
  const auto open_socket = [](int family) {
    return [family] { return raw_errno(SYS_socket, family, SOCK_DGRAM, 0); };
  };
  CHECK(run_filtered(filter, open_socket(AF_INET)) == 0);
  CHECK(run_filtered(filter, open_socket(AF_INET6)) == 0);
  CHECK(run_filtered(filter, open_socket(AF_UNIX)) == 0);
  CHECK(run_filtered(filter, open_socket(AF_NETLINK)) == EAFNOSUPPORT);
  CHECK(run_filtered(filter, [] { return raw_errno(SYS_fcntl, 0, F_GETFD); }) == 0);
  CHECK(run_filtered(filter, [] { return raw_errno(SYS_fcntl, 0, F_GETFL); }) == -SIGSYS);
  CHECK(run_filtered(filter, [] { return raw_errno(SYS_getgid); }) ==
        0);  // rules after an argument's still count
}

TEST_CASE("none of several bits of an argument") {
  SeccompFilter filter = base_filter();
  filter.allow_without_bits(SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, Errno(EROFS))
      .allow(SYS_getgid);
  const auto open_null = [](int flags) {
    return [flags] {
      return raw_errno(SYS_openat, AT_FDCWD, reinterpret_cast<long>("/dev/null"), flags);
    };
  };
  CHECK(run_filtered(filter, open_null(O_RDONLY | O_CLOEXEC)) == 0);
  CHECK(run_filtered(filter, open_null(O_WRONLY)) == EROFS);
  CHECK(run_filtered(filter, open_null(O_RDWR)) == EROFS);
  CHECK(run_filtered(filter, open_null(O_RDONLY | O_TRUNC)) == EROFS);
  CHECK(run_filtered(filter, [] { return raw_errno(SYS_getgid); }) == 0);
}

#ifdef __x86_64__
TEST_CASE("system calls of other architectures kill") {
  CHECK(run_filtered(base_filter(), [] { return raw_errno(SYS_getpid | 0x40000000); }) ==
        -SIGSYS);  // x32
}
#endif
