#include "transfer/call_filter.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <thread>

#include "sys/raw.hpp"

using namespace sbx;
using sbx::transfer::filter_calls;
using sbx::transfer::Talks;

namespace {

/// Runs `action` in a process of its own that has filtered its calls: its exit code, or minus the signal that killed it.
int run(Talks talks, const std::function<int()>& action) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (sys::raw::set_no_new_privs() != 0 || !filter_calls(talks)) {
      sys::raw::exit(99);
    }
    sys::raw::exit(action());
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int call(long number, long a = 0, long b = 0, long c = 0) {
  return ::syscall(number, a, b, c) < 0 ? errno : 0;
}

int map_code() {
  return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                 MAP_FAILED
             ? errno
             : 0;
}

}  // namespace

TEST_CASE("threads can be made, processes cannot") {
  for (const Talks talks : {Talks::kToNobody, Talks::kToRegistries}) {
    CHECK(run(talks, [] {
            int made = 1;
            std::thread([&] { made = 0; }).join();
            return made;
          }) == 0);
    CHECK(run(talks, [] { return call(SYS_clone, SIGCHLD); }) == EPERM);
    CHECK(run(talks, [] { return call(SYS_clone3, 0, 0); }) == ENOSYS);
#ifdef SYS_fork
    CHECK(run(talks, [] { return call(SYS_fork); }) == ENOSYS);
    CHECK(run(talks, [] { return call(SYS_vfork); }) == ENOSYS);
#endif
  }
}

TEST_CASE("what only an attacker wants kills") {
  for (const Talks talks : {Talks::kToNobody, Talks::kToRegistries}) {
    for (const long number :
         {SYS_execve, SYS_execveat, SYS_ptrace, SYS_mount, SYS_unshare, SYS_setns, SYS_bpf,
          SYS_io_uring_setup, SYS_process_vm_readv, SYS_setuid}) {
      CHECK(run(talks, [=] { return call(number); }) == -SIGSYS);
    }
  }
}

TEST_CASE("signals reach nobody else, abort works, the rest is not there") {
  const pid_t other = ::getpid();
  CHECK(run(Talks::kToNobody, [=] { return call(SYS_kill, other, 0); }) == ENOSYS);
  CHECK(run(Talks::kToNobody, [=] { return call(SYS_tgkill, other, other, 0); }) == EPERM);
  CHECK(run(Talks::kToNobody, []() -> int {
          (void)::signal(SIGABRT, SIG_DFL);  // Catch has a handler
          ::abort();
        }) == -SIGABRT);
  CHECK(run(Talks::kToNobody, [] { return call(SYS_personality, 0); }) == ENOSYS);
}

TEST_CASE("sockets and code are for who talks to registries") {
  CHECK(run(Talks::kToNobody, [] { return call(SYS_socket, AF_INET, SOCK_STREAM); }) == ENOSYS);
  CHECK(run(Talks::kToNobody, map_code) == EPERM);
  CHECK(run(Talks::kToRegistries, [] { return call(SYS_socket, AF_INET, SOCK_STREAM); }) == 0);
  CHECK(run(Talks::kToRegistries, [] { return call(SYS_socket, AF_PACKET, SOCK_RAW); }) ==
        EAFNOSUPPORT);
  CHECK(run(Talks::kToRegistries, [] { return call(SYS_listen, 0, 1); }) == ENOSYS);
  CHECK(run(Talks::kToRegistries, map_code) == 0);
}
