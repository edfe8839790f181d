#include "runtime/relay.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "sys/channel.hpp"

using sbx::runtime::Relay;
using sbx::sys::make_pipe;

TEST_CASE("bytes go through until the source ends") {
  auto in = make_pipe().value();
  auto out = make_pipe().value();
  Relay relay(in.reader.get(), out.writer.get());
  REQUIRE(::write(in.writer.get(), "hello", 5) == 5);
  CHECK(relay.wants_read());
  relay.read_some();
  CHECK(relay.wants_write());
  CHECK_FALSE(relay.wants_read());
  relay.write_some();
  std::array<char, 8> got{};
  CHECK(::read(out.reader.get(), got.data(), got.size()) == 5);
  CHECK(std::string(got.data()) == "hello");
  in.writer.reset();
  relay.read_some();
  CHECK(relay.done());
}

TEST_CASE("a reader that is gone ends the relay") {
  auto in = make_pipe().value();
  auto out = make_pipe().value();
  out.reader.reset();
  ::signal(SIGPIPE, SIG_IGN);
  Relay relay(in.reader.get(), out.writer.get());
  REQUIRE(::write(in.writer.get(), "x", 1) == 1);
  relay.read_some();
  relay.write_some();
  CHECK(relay.done());
}
