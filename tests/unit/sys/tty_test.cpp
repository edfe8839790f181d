#include "sys/tty.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <catch2/catch.hpp>

#include "sys/fd.hpp"

using namespace sbx::sys;

namespace {

struct Pty {
  Fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  Fd slave;
  Pty() {
    REQUIRE(::grantpt(master.get()) == 0);
    REQUIRE(::unlockpt(master.get()) == 0);
    slave.reset(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(slave.valid());
  }
};

bool is_raw(int fd) {
  termios now{};
  REQUIRE(::tcgetattr(fd, &now) == 0);
  return (now.c_lflag & ICANON) == 0;
}

}  // namespace

TEST_CASE("raw mode ends with its owner") {
  const Pty pty;
  {
    const RawTerminal raw = RawTerminal::enter(pty.slave.get()).value();
    CHECK(is_raw(pty.slave.get()));
  }
  CHECK_FALSE(is_raw(pty.slave.get()));
}

TEST_CASE("who remembered the settings can restore them after somebody else's raw mode") {
  const Pty pty;
  RawTerminal memory = RawTerminal::remember(pty.slave.get()).value();
  RawTerminal killed = RawTerminal::enter(pty.slave.get()).value();
  killed.release();
  CHECK(is_raw(pty.slave.get()));
  memory.restore();
  CHECK_FALSE(is_raw(pty.slave.get()));
}

TEST_CASE("a size set is the size read; what is no terminal has none") {
  const Pty pty;
  set_terminal_size(pty.master.get(), {33, 99});
  const auto size = terminal_size(pty.slave.get());
  REQUIRE(size);
  CHECK(size->rows == 33);
  CHECK(size->columns == 99);
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(is_terminal(null.get()));
  CHECK_FALSE(terminal_size(null.get()));
  CHECK_FALSE(RawTerminal::enter(null.get()));
}
