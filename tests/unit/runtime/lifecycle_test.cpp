#include "runtime/lifecycle.hpp"

#include <signal.h>

#include <catch2/catch.hpp>

using sbx::runtime::parse_signal;

TEST_CASE("a signal has names and a number") {
  for (const char* text : {"SIGTERM", "TERM", "sigterm", "term", "15"}) {
    CAPTURE(text);
    CHECK(parse_signal(text).value() == SIGTERM);
  }
  CHECK(parse_signal("USR1").value() == SIGUSR1);
  CHECK(parse_signal("64").value() == 64);
}

TEST_CASE("what is no signal is refused") {
  for (const char* text : {"", "SIG", "0", "-9", "65", "9x", "NOSUCH", "15 "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_signal(text));
  }
}
