#pragma once

// Network devices of a fresh network namespace, made by the sandbox's init between clone and execve.
// Nothing here allocates, formats, locks or throws: failures are an Errno, and the caller knows the words.

#include <array>
#include <cstdint>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// An IPv6 address as bytes in network order, with the prefix of its network and the way out.
struct TapIpv6 {
  std::array<std::uint8_t, 16> address{};
  std::array<std::uint8_t, 16> gateway{};
  std::uint8_t prefix_length = 64;
};

/// What a tap device shall look like. Plain data of fixed size: it is read after clone().
struct TapConfig {
  std::array<char, 16> name{'e', 't', 'h', '0'};  // IFNAMSIZ, null-terminated
  std::uint32_t mtu = 65520;  // bytes of an IP packet; 65521 is the most libslirp takes
  std::array<std::uint8_t, 4> address{10, 0, 2, 100};
  std::array<std::uint8_t, 4> gateway{10, 0, 2, 2};
  std::uint8_t prefix_length = 24;
  bool has_ipv6 = true;
  TapIpv6 ipv6;
};

/// Brings `lo` of the calling process's network namespace up; the kernel gives it 127.0.0.1/8 and ::1.
/// Needs CAP_NET_ADMIN over the namespace.
FsResult<void> bring_up_loopback() noexcept;

/// Makes a tap device in the calling process's network namespace, and brings it and `lo` up with addresses
/// and default routes. The descriptor (non-blocking, close-on-exec) carries Ethernet frames; the device
/// lives until its last copy is closed. Whoever closes that one waits some 30 ms for the kernel (RCU).
/// Needs CAP_NET_ADMIN over the namespace and /dev/net/tun. Fails with EBUSY if the name is taken.
/// IPv6 missing in the kernel is no failure: the device then has IPv4 only.
FsResult<Fd> make_tap(const TapConfig& config) noexcept;

}  // namespace sbx::sys
