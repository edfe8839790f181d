#include "sys/ns.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/channel.hpp"
#include "sys/raw.hpp"

using namespace sbx::sys;

TEST_CASE("a role can close everything but what it names") {
  const Pipe kept = make_pipe().value();
  const Pipe closed = make_pipe().value();
  const Cloned child = fork_role().value();
  if (child.pid == 0) {
    (void)close_all_but({kept.writer.get()});
    const bool right = ::fcntl(kept.writer.get(), F_GETFD) >= 0 &&
                       ::fcntl(closed.writer.get(), F_GETFD) < 0 &&
                       ::fcntl(STDERR_FILENO, F_GETFD) >= 0;
    raw::exit(right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child.pid, &status, 0) == child.pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a process that is gone can be signalled without harm") {
  const Cloned child = fork_role().value();
  if (child.pid == 0) {
    raw::exit(0);
  }
  REQUIRE(::waitpid(child.pid, nullptr, 0) == child.pid);
  CHECK(signal_process(child.pidfd.get(), SIGKILL));
}

TEST_CASE("this process has one thread") { CHECK(single_threaded()); }
