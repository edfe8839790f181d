#include "net/address_plan.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <optional>

namespace sbx::net {
namespace {

Ipv4 from_number(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
          static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
}

bool inside(std::uint32_t network, unsigned prefix, std::uint32_t range, unsigned range_prefix) {
  return prefix >= range_prefix &&
         (network >> (32U - range_prefix)) == (range >> (32U - range_prefix));
}

bool is_private(std::uint32_t network, unsigned prefix) {
  return inside(network, prefix, 0x0a000000, 8) || inside(network, prefix, 0xac100000, 12) ||
         inside(network, prefix, 0xc0a80000, 16) || inside(network, prefix, 0x64400000, 10);
}

std::optional<std::pair<std::uint32_t, unsigned>> parse_cidr(std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string_view::npos || slash > 15) {
    return std::nullopt;
  }
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(cidr.substr(0, slash)).c_str(), &address) != 1) {
    return std::nullopt;
  }
  const std::string_view digits = cidr.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix > 32) {
    return std::nullopt;
  }
  return std::pair(ntohl(address.s_addr), prefix);
}

}  // namespace

Result<AddressPlan> plan_for_network(std::string_view cidr) {
  const auto invalid = [&](const char* reason) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "use network", cidr, reason)
            .with_hint("write it as 10.1.2.0/24, private (RFC 1918), with a prefix of 8 to 25"));
  };
  const auto parsed = parse_cidr(cidr);
  if (!parsed) {
    return invalid("it is not an IPv4 network");
  }
  const auto [network, prefix] = *parsed;
  if (prefix < 8 || prefix > 25) {
    return invalid("its prefix is too short or too long");
  }
  if ((network & (~std::uint32_t{0} >> prefix)) != 0) {
    return invalid("it has host bits");
  }
  if (!is_private(network, prefix)) {
    return invalid("it is not private and would hide hosts of the internet");
  }
  AddressPlan plan;
  plan.network = from_number(network);
  plan.gateway = from_number(network + 2);
  plan.dns = from_number(network + 3);
  plan.guest = from_number(network + 100);
  plan.prefix_length = static_cast<std::uint8_t>(prefix);
  return plan;
}

sys::TapConfig tap_config(const AddressPlan& plan, bool ipv6) {
  sys::TapConfig config;
  config.mtu = plan.mtu;
  config.address = plan.guest;
  config.gateway = plan.gateway;
  config.prefix_length = plan.prefix_length;
  config.has_ipv6 = ipv6;
  config.ipv6 = {plan.guest6, plan.gateway6, plan.prefix_length6};
  return config;
}

std::string to_text(const Ipv4& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, address.data(), text.data(), text.size());
}

std::string to_text(const Ipv6& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
}

}  // namespace sbx::net
