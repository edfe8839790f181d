#include "net/address_plan.hpp"

#include <catch2/catch.hpp>

using namespace sbx::net;

TEST_CASE("the default plan is the one people know") {
  const AddressPlan plan;
  CHECK(to_text(plan.gateway) == "10.0.2.2");
  CHECK(to_text(plan.dns) == "10.0.2.3");
  CHECK(to_text(plan.guest) == "10.0.2.100");
  CHECK(to_text(plan.gateway6) == "fd00::2");
  CHECK(to_text(plan.dns6) == "fd00::3");
  CHECK(to_text(plan.guest6) == "fd00::100");
  CHECK(plan.mtu == 65520);
}

TEST_CASE("another network gets the same layout") {
  const AddressPlan plan = plan_for_network("172.20.4.0/22").value();
  CHECK(to_text(plan.network) == "172.20.4.0");
  CHECK(to_text(plan.gateway) == "172.20.4.2");
  CHECK(to_text(plan.dns) == "172.20.4.3");
  CHECK(to_text(plan.guest) == "172.20.4.100");
  CHECK(plan.prefix_length == 22);
  CHECK(plan_for_network("192.168.1.128/25").value().guest == Ipv4{192, 168, 1, 228});
}

TEST_CASE("networks that cannot be used are refused") {
  const char* text = GENERATE(
      "", "10.0.2.0", "10.0.2.0/", "10.0.2.0/x", "10.0.2.0/24x", "10.0.2.0/-1", "10.0.2/24",
      "10.0.2.256/24", "10.0.2.1/24", "10.0.2.0/26", "10.0.0.0/7", "0.0.0.0/0", "8.8.8.0/24",
      "127.0.0.0/8", "172.32.0.0/16", "fd00::/64", "10.0.2.0/24/24", "1111111111111111/24");
  CAPTURE(text);
  const auto plan = plan_for_network(text);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == sbx::ErrorCode::kInvalidArgument);
}

TEST_CASE("the tap is configured by the plan") {
  const AddressPlan plan = plan_for_network("192.168.9.0/24").value();
  const sbx::sys::TapConfig config = tap_config(plan, false);
  CHECK(config.address == plan.guest);
  CHECK(config.gateway == plan.gateway);
  CHECK(config.prefix_length == 24);
  CHECK(config.mtu == plan.mtu);
  CHECK_FALSE(config.has_ipv6);
  CHECK(tap_config(plan, true).ipv6.address == plan.guest6);
}
