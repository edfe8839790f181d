#include "sys/signal_fd.hpp"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using sbx::sys::SignalFd;

TEST_CASE("a signal is read instead of handled") {
  const SignalFd signals = SignalFd::make().value();
  CHECK(signals.next() == 0);
  REQUIRE(::kill(::getpid(), SIGTERM) == 0);
  REQUIRE(::kill(::getpid(), SIGUSR1) == 0);
  const int first = signals.next();
  const int second = signals.next();
  CHECK(((first == SIGTERM && second == SIGUSR1) || (first == SIGUSR1 && second == SIGTERM)));
  CHECK(signals.next() == 0);
}

TEST_CASE("afterwards the mask is as before") {
  { const SignalFd signals = SignalFd::make().value(); }
  sigset_t mask{};
  REQUIRE(::sigprocmask(SIG_SETMASK, nullptr, &mask) == 0);
  CHECK(::sigismember(&mask, SIGTERM) == 0);
}
