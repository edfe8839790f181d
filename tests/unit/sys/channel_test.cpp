#include "sys/channel.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>

#include "sys/raw.hpp"

using namespace sbx::sys;

TEST_CASE("a descriptor travels with a message, close-on-exec") {
  ChannelPair pair = make_channel().value();
  Pipe pipe = make_pipe().value();
  REQUIRE(raw::send(pair.ours.get(), "x", 1, pipe.writer.get()) == 1);
  const Fd received = receive_fd(pair.theirs.get(), "something").value();
  CHECK((::fcntl(received.get(), F_GETFD) & FD_CLOEXEC) != 0);
  REQUIRE(::write(received.get(), "hi", 2) == 2);
  std::array<char, 4> got{};
  CHECK(::read(pipe.reader.get(), got.data(), got.size()) == 2);
}

TEST_CASE("a hang-up is an error for who waits for a descriptor, and EPIPE for who sends") {
  ChannelPair pair = make_channel().value();
  pair.ours.reset();
  CHECK_FALSE(receive_fd(pair.theirs.get(), "something"));
  CHECK(raw::send(pair.theirs.get(), "x", 1, -1) == -EPIPE);
}

TEST_CASE("messages keep their borders") {
  const ChannelPair pair = make_channel().value();
  REQUIRE(raw::send(pair.ours.get(), "one", 3, -1) == 3);
  REQUIRE(raw::send(pair.ours.get(), "two", 3, -1) == 3);
  std::array<char, 16> got{};
  int fd = 0;
  CHECK(raw::receive(pair.theirs.get(), got.data(), got.size(), &fd) == 3);
  CHECK(fd == -1);
}
