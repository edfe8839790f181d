#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "sys/netdev.hpp"

namespace sbx::net {

using Ipv4 = std::array<std::uint8_t, 4>;   // network order
using Ipv6 = std::array<std::uint8_t, 16>;  // network order

inline constexpr std::uint32_t kMtu =
    65520;  // libslirp takes up to 65521; a multiple of 8 keeps fragments whole
inline constexpr std::uint32_t kLeastMtu =
    1500;  // below, replies of libslirp overflowed (field of small-MTU bugs)

/// Who is who on the virtual link of one sandbox: the gateway is the host as libslirp plays it, `dns` is answered
/// by the host's first name server. The defaults are what slirp4netns and QEMU use.
struct AddressPlan {
  Ipv4 network{10, 0, 2, 0};
  Ipv4 gateway{10, 0, 2, 2};
  Ipv4 dns{10, 0, 2, 3};
  Ipv4 guest{10, 0, 2, 100};
  std::uint8_t prefix_length = 24;
  Ipv6 network6{0xfd};
  Ipv6 gateway6{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02};
  Ipv6 dns6{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x03};
  Ipv6 guest6{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00};
  std::uint8_t prefix_length6 = 64;
  std::uint32_t mtu = kMtu;
};

/// The plan for another IPv4 network, written "10.1.2.0/24": .2, .3 and .100 in it. kInvalidArgument unless it is
/// an address without host bits and a prefix of 8 to 25 in a private range (RFC 1918, 6598), so that no host on the
/// internet is hidden by it.
Result<AddressPlan> plan_for_network(std::string_view cidr);

/// What the sandbox's init makes of it.
[[nodiscard]] sys::TapConfig tap_config(const AddressPlan& plan, bool ipv6);

[[nodiscard]] std::string to_text(const Ipv4& address);
[[nodiscard]] std::string to_text(const Ipv6& address);

}  // namespace sbx::net
