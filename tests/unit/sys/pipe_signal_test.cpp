#include "sys/pipe_signal.hpp"

#include <catch2/catch.hpp>

#include "sys/channel.hpp"
#include "sys/file.hpp"

using namespace sbx::sys;

TEST_CASE("a write to a pipe without a reader is an error and no signal") {
  Pipe pipe = make_pipe().value();
  pipe.reader.reset();
  for (int i = 0; i < 2; ++i) {
    const PipeSignalBlock block;
    const auto written = write_full(pipe.writer.get(), "x", "pipe");
    REQUIRE_FALSE(written);
    CHECK(written.error().sys_errno == EPIPE);
  }
  sigset_t mask{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(::sigismember(&mask, SIGPIPE) == 0);
  sigset_t pending{};
  ::sigpending(&pending);
  CHECK(::sigismember(&pending, SIGPIPE) == 0);
}
