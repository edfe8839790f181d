#include "net/slirp_stack.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/channel.hpp"

using namespace sbx;
using namespace sbx::net;

TEST_CASE("the libslirp that runs is one we take") {
  const SlirpVersion version = slirp_version().value();
  CHECK(version.supported);
  CHECK(version.text.find('.') != std::string::npos);
}

TEST_CASE("an MTU below that of Ethernet or above libslirp's is refused") {
  for (const std::uint32_t mtu : {0U, 576U, 1499U, 65521U, 100000U}) {
    SlirpStack::Options options;
    options.plan.mtu = mtu;
    const auto stack = SlirpStack::make(options);
    REQUIRE_FALSE(stack);
    CHECK(stack.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("an idle stack waits for nothing, for ever") {
  const auto stack = SlirpStack::make({});
  REQUIRE(stack);
  std::vector<pollfd> set;
  CHECK((*stack)->fill(set) == -1);
  CHECK(set.empty());
  (*stack)->dispatch(set);
  CHECK((*stack)->fill(set) == -1);
}

TEST_CASE("the gateway answers ARP, and does not keep the stack awake") {
  const auto stack = SlirpStack::make({});
  REQUIRE(stack);
  const sys::ChannelPair wire = sys::make_channel().value();
  (*stack)->attach(wire.theirs.get());
  const std::vector<std::uint8_t> who_has_gateway{
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  0, 0, 0, 0, 1, 8, 6,  // Ethernet: broadcast, ARP
      0,    1,    8,    0,    6,    4,    0,  1, 2, 0, 0, 0, 0, 1,
      10,   0,    2,    100,  // request, from 10.0.2.100
      0,    0,    0,    0,    0,    0,    10, 0, 2, 2};
  (*stack)->input(who_has_gateway);
  std::array<std::uint8_t, 128> answer{};
  const ssize_t got = ::read(wire.ours.get(), answer.data(), answer.size());
  REQUIRE(got >= 42);
  CHECK(answer[13] == 6);   // ARP
  CHECK(answer[21] == 2);   // reply
  CHECK(answer[28] == 10);  // from 10.0.2.2
  CHECK(answer[31] == 2);
  std::vector<pollfd> set;
  CHECK((*stack)->fill(set) == -1);
}

TEST_CASE("what libslirp waits for goes behind what is in the set already") {
  const auto stack = SlirpStack::make({});
  REQUIRE(stack);
  std::vector<pollfd> set{{0, POLLIN, 0}};
  CHECK((*stack)->fill(set) == -1);
  CHECK(set.size() == 1);
}
