#pragma once

#include <cstdint>
#include <span>

#include "net/address_plan.hpp"

namespace sbx::net {

/// What libslirp never gets to see. The sandbox's root may craft any frame, so what libslirp leaves open is closed here:
///  - destinations that reach the host itself without being asked for: 127.0.0.0/8, 0.0.0.0/8, ::, ::1, IPv4-mapped
///    and -compatible IPv6 addresses (libslirp blocks its gateway address only; connect(2) to 0.0.0.0 is loopback);
///  - addresses of the virtual network that nobody has, and multicast: they would go out on the host's network;
///  - TFTP, BOOTP/DHCP and DHCPv6, which nothing here uses (CVE-2026-95508 and older ones);
///  - ICMP but echo requests of the right length (CVE-2026-115449), ICMPv6 but neighbour discovery and echo requests;
///  - TCP in fragments and with urgent data: the URG flag is taken away and the data comes inline (CVE-2026-9539);
///  - protocols other than ARP, IPv4, IPv6 with TCP, UDP, ICMP (NC-SI, VLAN tags, extension headers).
enum class FrameVerdict { kPass, kDrop };

/// Judges one Ethernet frame from the sandbox, and changes it where that mends it. Never reads outside of `frame`.
[[nodiscard]] FrameVerdict judge_frame(std::span<std::uint8_t> frame,
                                       const AddressPlan& plan) noexcept;

}  // namespace sbx::net
