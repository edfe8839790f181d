#include "net/frame_filter.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstddef>

namespace sbx::net {
namespace {

using Bytes = std::span<std::uint8_t>;

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIcmpHeader = 8;

constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeArp = 0x0806;
constexpr std::uint16_t kTypeIpv6 = 0x86dd;

constexpr std::uint8_t kIcmpEchoRequest = 8;
constexpr std::uint8_t kIcmpv6EchoRequest = 128;
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;
constexpr std::uint8_t kRouterSolicitation = 133;

std::uint16_t read16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

void write16(Bytes bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

/// RFC 1624: the checksum after one 16-bit word that it covers changed.
std::uint16_t updated_checksum(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~before);
  sum += after;
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

void replace16(Bytes segment, std::size_t at, std::uint16_t value) {
  constexpr std::size_t kChecksum = 16;
  const std::uint16_t before = read16(segment, at);
  write16(segment, kChecksum, updated_checksum(read16(segment, kChecksum), before, value));
  write16(segment, at, value);
}

FrameVerdict judge_tcp(Bytes segment) {
  constexpr std::size_t kOffsetAndFlags = 12;
  constexpr std::size_t kUrgentPointer = 18;
  constexpr std::uint16_t kUrgent = 0x0020;
  if (segment.size() < kTcpHeader) {
    return FrameVerdict::kDrop;
  }
  const std::uint16_t flags = read16(segment, kOffsetAndFlags);
  if ((flags & kUrgent) != 0) {
    replace16(segment, kOffsetAndFlags, static_cast<std::uint16_t>(flags & ~kUrgent));
    replace16(segment, kUrgentPointer, 0);
  }
  return FrameVerdict::kPass;
}

FrameVerdict judge_udp(Bytes datagram) {
  constexpr std::array<std::uint16_t, 5> kServices{67, 68, 69, 546,
                                                   547};  // bootps, bootpc, tftp, dhcpv6
  if (datagram.size() < kUdpHeader) {
    return FrameVerdict::kDrop;
  }
  const std::uint16_t port = read16(datagram, 2);
  const bool served = std::find(kServices.begin(), kServices.end(), port) != kServices.end();
  return served ? FrameVerdict::kDrop : FrameVerdict::kPass;
}

bool in_network(const std::uint8_t* address, const std::uint8_t* network, unsigned prefix) {
  const unsigned whole = prefix / 8;
  const unsigned rest = prefix % 8;
  if (!std::equal(address, address + whole, network)) {
    return false;
  }
  return rest == 0 || ((address[whole] ^ network[whole]) >> (8U - rest)) == 0;
}

/// The virtual network has the gateway and the name server, and nobody else to talk to.
template <std::size_t N>
bool nobody(const std::uint8_t* address, const std::array<std::uint8_t, N>& network,
            unsigned prefix, const std::array<std::uint8_t, N>& gateway,
            const std::array<std::uint8_t, N>& dns) {
  return in_network(address, network.data(), prefix) &&
         !std::equal(gateway.begin(), gateway.end(), address) &&
         !std::equal(dns.begin(), dns.end(), address);
}

bool reachable(const Ipv4& to, const AddressPlan& plan) {
  const bool loopback_or_unset = to[0] == 127 || to[0] == 0;
  const bool multicast_or_reserved = to[0] >= 224;
  return !loopback_or_unset && !multicast_or_reserved &&
         !nobody(to.data(), plan.network, plan.prefix_length, plan.gateway, plan.dns);
}

bool is_multicast(const Ipv6& to) { return to[0] == 0xff; }

bool reachable(const Ipv6& to, const AddressPlan& plan) {
  // The first 80 bits of ::, ::1, ::a.b.c.d (compatible) and ::ffff:a.b.c.d (mapped) are zero.
  const bool embedded =
      std::all_of(to.begin(), to.begin() + 10, [](std::uint8_t byte) { return byte == 0; });
  return !embedded && !is_multicast(to) &&
         !nobody(to.data(), plan.network6, plan.prefix_length6, plan.gateway6, plan.dns6);
}

FrameVerdict judge_ipv4(Bytes packet, const AddressPlan& plan) {
  if (packet.size() < kIpv4Header || packet[0] >> 4U != 4) {
    return FrameVerdict::kDrop;
  }
  const std::size_t header = (packet[0] & 0x0fU) * std::size_t{4};
  const std::size_t total = read16(packet, 2);
  if (header < kIpv4Header || total < header || total > packet.size()) {
    return FrameVerdict::kDrop;
  }
  Ipv4 to{};
  std::copy_n(packet.begin() + 16, to.size(), to.begin());
  if (!reachable(to, plan)) {
    return FrameVerdict::kDrop;
  }
  const std::uint16_t fragment = read16(packet, 6) & 0x3fffU;  // more-fragments flag and offset
  const bool first = (fragment & 0x1fffU) == 0;
  const Bytes payload = packet.subspan(header, total - header);
  switch (packet[9]) {
    case IPPROTO_UDP:
      // The ports stand in the first fragment: it has at least the 8 bytes that judge_udp asks for.
      return first ? judge_udp(payload) : FrameVerdict::kPass;
    case IPPROTO_TCP:
      // No TCP sends fragments (path MTU discovery), but an attacker may, to hide the flags (RFC 3128).
      return fragment == 0 ? judge_tcp(payload) : FrameVerdict::kDrop;
    case IPPROTO_ICMP: {
      const bool echo =
          fragment == 0 && payload.size() >= kIcmpHeader && payload[0] == kIcmpEchoRequest;
      return echo ? FrameVerdict::kPass : FrameVerdict::kDrop;
    }
    default:
      return FrameVerdict::kDrop;
  }
}

FrameVerdict judge_icmpv6(Bytes message, const Ipv6& to, const AddressPlan& plan) {
  if (message.size() < kIcmpHeader) {
    return FrameVerdict::kDrop;
  }
  switch (message[0]) {
    case kIcmpv6EchoRequest:
      return reachable(to, plan) ? FrameVerdict::kPass : FrameVerdict::kDrop;
    case kNeighbourSolicitation:
    case kNeighbourAdvertisement:
    case kRouterSolicitation:
      return FrameVerdict::kPass;  // answered by libslirp itself, sent to nobody
    default:
      return FrameVerdict::kDrop;
  }
}

FrameVerdict judge_ipv6(Bytes packet, const AddressPlan& plan) {
  if (packet.size() < kIpv6Header || packet[0] >> 4U != 6) {
    return FrameVerdict::kDrop;
  }
  const std::size_t length = read16(packet, 4);
  if (length > packet.size() - kIpv6Header) {
    return FrameVerdict::kDrop;
  }
  Ipv6 to{};
  std::copy_n(packet.begin() + 24, to.size(), to.begin());
  const Bytes payload = packet.subspan(kIpv6Header, length);
  if (packet[6] == IPPROTO_ICMPV6) {
    return judge_icmpv6(payload, to, plan);
  }
  if (!reachable(to, plan)) {
    return FrameVerdict::kDrop;
  }
  switch (packet[6]) {
    case IPPROTO_TCP:
      return judge_tcp(payload);
    case IPPROTO_UDP:
      return judge_udp(payload);
    default:
      return FrameVerdict::kDrop;  // libslirp knows no extension headers, fragments among them
  }
}

}  // namespace

FrameVerdict judge_frame(std::span<std::uint8_t> frame, const AddressPlan& plan) noexcept {
  if (frame.size() < kEthernetHeader) {
    return FrameVerdict::kDrop;
  }
  const Bytes packet = frame.subspan(kEthernetHeader);
  switch (read16(frame, 12)) {
    case kTypeArp:
      return FrameVerdict::kPass;
    case kTypeIpv4:
      return judge_ipv4(packet, plan);
    case kTypeIpv6:
      return judge_ipv6(packet, plan);
    default:
      return FrameVerdict::kDrop;
  }
}

}  // namespace sbx::net
