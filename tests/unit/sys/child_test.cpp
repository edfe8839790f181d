#include "sys/child.hpp"

#include <signal.h>

#include <catch2/catch.hpp>

#include "sys/channel.hpp"
#include "sys/file.hpp"

using namespace sbx::sys;

TEST_CASE("a program's exit code and its words come back") {
  Pipe out = make_pipe().value();
  Pipe err = make_pipe().value();
  Child child = Child::spawn({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, out.writer.get(),
                             err.writer.get())
                    .value();
  out.writer.reset();
  err.writer.reset();
  CHECK(read_fd(out.reader.get(), 100, "out").value() == "out\n");
  CHECK(read_fd(err.reader.get(), 100, "err").value() == "err\n");
  CHECK(child.wait().value().shell_code() == 3);
  CHECK_FALSE(child.running());
}

TEST_CASE("a program reads what it is given, and nothing else") {
  Pipe in = make_pipe().value();
  Pipe out = make_pipe().value();
  REQUIRE(write_full(in.writer.get(), "given", "in"));
  in.writer.reset();
  Child given = Child::spawn({"/bin/cat"}, out.writer.get(), -1, in.reader.get()).value();
  CHECK(given.wait().value().shell_code() == 0);
  Child nothing = Child::spawn({"/bin/cat"}, out.writer.get()).value();
  CHECK(nothing.wait().value().shell_code() == 0);
  out.writer.reset();
  CHECK(read_fd(out.reader.get(), 100, "out").value() == "given");
}

TEST_CASE("a signal shows as 128 + n") {
  Child child = Child::spawn({"/bin/sh", "-c", "kill -TERM $$"}).value();
  const ExitStatus status = child.wait().value();
  CHECK(status.signal == SIGTERM);
  CHECK(status.shell_code() == 128 + SIGTERM);
}

TEST_CASE("a child ends with its owner") {
  pid_t pid = 0;
  {
    const Child child = Child::spawn({"/bin/sleep", "1000"}).value();
    pid = child.pid();
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("a program that is not there is an error") {
  CHECK(Child::spawn({"/no/such/program"}).error().sys_errno == ENOENT);
}
