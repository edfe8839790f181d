#include "sys/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>

using sbx::sys::Fd;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
Fd open_null() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

TEST_CASE("a descriptor is closed with its owner, and moves with it") {
  int number = -1;
  {
    Fd fd = open_null();
    number = fd.get();
    Fd other = std::move(fd);
    CHECK_FALSE(fd.valid());
    CHECK(other.get() == number);
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("a descriptor that is given away stays open") {
  Fd fd = open_null();
  const int number = fd.release();
  CHECK(is_open(number));
  ::close(number);
}

TEST_CASE("closing keeps errno") {
  Fd fd = open_null();
  errno = ERANGE;
  fd.reset();
  CHECK(errno == ERANGE);
}

TEST_CASE("a closed standard stream is filled, an open one left alone") {
  const int saved = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  ::close(STDIN_FILENO);
  sbx::sys::fill_standard_streams();
  CHECK(is_open(STDIN_FILENO));
  char byte = 0;
  CHECK(::read(STDIN_FILENO, &byte, 1) == 0);
  if (saved >= 0) {
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
  }
}
