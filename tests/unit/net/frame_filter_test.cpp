#include "net/frame_filter.hpp"

#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sbx::net;

namespace {

using Frame = std::vector<std::uint8_t>;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpv6 = 58;

Frame ethernet(std::uint16_t type) {
  Frame frame(14, 0x02);
  frame[12] = static_cast<std::uint8_t>(type >> 8U);
  frame[13] = static_cast<std::uint8_t>(type);
  return frame;
}

Frame ipv4(const char* to, std::uint8_t protocol, const Frame& payload,
           std::uint16_t fragment = 0) {
  Frame frame = ethernet(0x0800);
  const auto total = static_cast<std::uint16_t>(20 + payload.size());
  const Frame header{0x45,
                     0,
                     static_cast<std::uint8_t>(total >> 8U),
                     static_cast<std::uint8_t>(total),
                     0,
                     0,
                     static_cast<std::uint8_t>(fragment >> 8U),
                     static_cast<std::uint8_t>(fragment),
                     64,
                     protocol,
                     0,
                     0,
                     10,
                     0,
                     2,
                     100,
                     0,
                     0,
                     0,
                     0};
  frame.insert(frame.end(), header.begin(), header.end());
  REQUIRE(::inet_pton(AF_INET, to, frame.data() + 30) == 1);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

Frame ipv6(const char* to, std::uint8_t next, const Frame& payload) {
  Frame frame = ethernet(0x86dd);
  Frame header(40, 0);
  header[0] = 0x60;
  header[4] = static_cast<std::uint8_t>(payload.size() >> 8U);
  header[5] = static_cast<std::uint8_t>(payload.size());
  header[6] = next;
  frame.insert(frame.end(), header.begin(), header.end());
  REQUIRE(::inet_pton(AF_INET6, to, frame.data() + 38) == 1);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

Frame udp(std::uint16_t port) {
  return {0x9c, 0x40, static_cast<std::uint8_t>(port >> 8U), static_cast<std::uint8_t>(port), 0, 8,
          0,    0};
}

Frame tcp(std::uint8_t flags, std::uint16_t urgent = 0) {
  Frame segment(20, 0);
  segment[12] = 0x50;
  segment[13] = flags;
  segment[16] = 0x12;
  segment[17] = 0x34;
  segment[18] = static_cast<std::uint8_t>(urgent >> 8U);
  segment[19] = static_cast<std::uint8_t>(urgent);
  return segment;
}

bool passes(Frame frame) { return judge_frame(frame, AddressPlan()) == FrameVerdict::kPass; }

/// The ones' complement sum of a TCP header and its checksum; a change that keeps it keeps the checksum right.
std::uint32_t ones_complement_sum(const Frame& frame, std::size_t from) {
  std::uint32_t sum = 0;
  for (std::size_t at = from; at + 1 < frame.size(); at += 2) {
    sum += static_cast<std::uint32_t>(frame[at] << 8U | frame[at + 1]);
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum;
}

}  // namespace

TEST_CASE("ordinary traffic passes") {
  CHECK(passes(ipv4("192.0.2.1", kTcp, tcp(0x02))));
  CHECK(passes(ipv4("192.0.2.1", kUdp, udp(443))));
  CHECK(passes(ipv4("10.0.2.3", kUdp, udp(53))));
  CHECK(passes(ipv4("10.0.2.2", kIcmp, {8, 0, 0, 0, 0, 1, 0, 1})));
  CHECK(passes(ipv4("169.254.169.254", kTcp, tcp(0x02))));
  CHECK(passes(ipv6("2001:db8::1", kTcp, tcp(0x02))));
  CHECK(passes(ipv6("fd00::3", kUdp, udp(53))));
  CHECK(passes(ipv6("2001:db8::1", kIcmpv6, {128, 0, 0, 0, 0, 1, 0, 1})));
  CHECK(passes(ethernet(0x0806)));
}

TEST_CASE("neighbour discovery passes, though it is multicast") {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{133, 135, 136}) {
    CHECK(passes(ipv6("ff02::1:ff00:2", kIcmpv6, {type, 0, 0, 0, 0, 0, 0, 0})));
  }
}

TEST_CASE("the host itself is not reached by its own addresses") {
  const char* to = GENERATE("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "255.255.255.255",
                            "224.0.0.251", "240.0.0.1", "10.0.2.1", "10.0.2.100", "10.0.2.255");
  CAPTURE(to);
  CHECK_FALSE(passes(ipv4(to, kTcp, tcp(0x02))));
  CHECK_FALSE(passes(ipv4(to, kUdp, udp(53))));
  CHECK_FALSE(passes(ipv4(to, kUdp, {1, 2, 3, 4, 5, 6, 7, 8}, 0x0001)));
  CHECK_FALSE(passes(ipv4(to, kIcmp, {8, 0, 0, 0, 0, 1, 0, 1})));
}

TEST_CASE("nor by those of IPv6") {
  const char* to = GENERATE("::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:8.8.8.8",
                            "ff02::fb", "ff05::1:3", "fd00::1", "fd00::100");
  CAPTURE(to);
  CHECK_FALSE(passes(ipv6(to, kTcp, tcp(0x02))));
  CHECK_FALSE(passes(ipv6(to, kUdp, udp(53))));
  CHECK_FALSE(passes(ipv6(to, kIcmpv6, {128, 0, 0, 0, 0, 1, 0, 1})));
}

TEST_CASE("services of libslirp that nobody uses are not offered") {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{67, 68, 69, 546, 547}) {
    CHECK_FALSE(passes(ipv4("10.0.2.2", kUdp, udp(port))));
    CHECK_FALSE(passes(ipv6("fd00::2", kUdp, udp(port))));
    CHECK_FALSE(passes(ipv4("10.0.2.2", kUdp, udp(port), 0x2000)));
  }
}

TEST_CASE("fragments pass for UDP only, and show their ports") {
  CHECK(passes(ipv4("192.0.2.1", kUdp, udp(443), 0x2000)));
  CHECK(passes(ipv4("192.0.2.1", kUdp, Frame(16, 1), 0x0001)));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kUdp, {1, 2, 3}, 0x2000)));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kTcp, tcp(0x02), 0x2000)));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kTcp, Frame(16, 1), 0x0001)));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kIcmp, {8, 0, 0, 0, 0, 1, 0, 1}, 0x2000)));
  CHECK_FALSE(passes(ipv6("2001:db8::1", 44, Frame(16, 1))));
}

TEST_CASE("urgent data becomes ordinary data, with a right checksum") {
  for (Frame frame :
       {ipv4("192.0.2.1", kTcp, tcp(0x38, 0xfff0)), ipv6("2001:db8::1", kTcp, tcp(0x30, 7))}) {
    const std::size_t segment = frame.size() - 20;
    const std::uint32_t before = ones_complement_sum(frame, segment);
    REQUIRE(judge_frame(frame, AddressPlan()) == FrameVerdict::kPass);
    CHECK((frame[segment + 13] & 0x20) == 0);
    CHECK((frame[segment + 13] & 0x10) != 0);
    CHECK(frame[segment + 18] == 0);
    CHECK(frame[segment + 19] == 0);
    CHECK(ones_complement_sum(frame, segment) % 0xffff == before % 0xffff);
  }
  Frame ordinary = ipv4("192.0.2.1", kTcp, tcp(0x18));
  const Frame copy = ordinary;
  CHECK(judge_frame(ordinary, AddressPlan()) == FrameVerdict::kPass);
  CHECK(ordinary == copy);
}

TEST_CASE("what is malformed or unknown is dropped") {
  CHECK_FALSE(passes({}));
  CHECK_FALSE(passes(Frame(13, 0)));
  CHECK_FALSE(passes(ethernet(0x0800)));
  CHECK_FALSE(passes(ethernet(0x86dd)));
  CHECK_FALSE(passes(ethernet(0x8100)));
  CHECK_FALSE(passes(ethernet(0x88f8)));
  CHECK_FALSE(passes(ipv4("192.0.2.1", 47, Frame(20, 0))));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kTcp, Frame(19, 0))));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kIcmp, {8, 0, 0, 0, 0, 1, 0})));
  CHECK_FALSE(passes(ipv4("192.0.2.1", kIcmp, {13, 0, 0, 0, 0, 1, 0, 1})));
  CHECK_FALSE(passes(ipv6("2001:db8::1", kIcmpv6, {134, 0, 0, 0, 0, 1, 0, 1})));
  CHECK_FALSE(passes(ipv6("2001:db8::1", 0, Frame(48, 0))));

  Frame longer = ipv4("192.0.2.1", kUdp, udp(443));
  longer[16] = 0x7f;  // total length beyond the frame
  CHECK_FALSE(passes(longer));
  Frame shorter = ipv4("192.0.2.1", kUdp, udp(443));
  shorter[17] = 19;  // total length within the header
  CHECK_FALSE(passes(shorter));
  Frame options = ipv4("192.0.2.1", kUdp, udp(443));
  options[14] = 0x4f;  // header of 60 bytes in a packet of 28
  CHECK_FALSE(passes(options));
  Frame version = ipv4("192.0.2.1", kUdp, udp(443));
  version[14] = 0x65;
  CHECK_FALSE(passes(version));
  Frame six = ipv6("2001:db8::1", kUdp, udp(443));
  six[19] = 9;
  CHECK_FALSE(passes(six));
}

TEST_CASE("every cut of every frame is survived") {
  for (const Frame& frame :
       {ipv4("192.0.2.1", kTcp, tcp(0x38, 1)), ipv6("2001:db8::1", kTcp, tcp(0x38, 1)),
        ipv4("192.0.2.1", kIcmp, {8, 0, 0, 0, 0, 1, 0, 1})}) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      CHECK_FALSE(passes(Frame(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size))));
    }
  }
}
