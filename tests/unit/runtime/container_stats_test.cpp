#include "runtime/container_stats.hpp"

#include <catch2/catch.hpp>

using sbx::runtime::add_network;
using sbx::runtime::ContainerUse;
using sbx::runtime::machine_memory;
using sbx::runtime::number_of;

TEST_CASE("all interfaces but the loopback count") {
  ContainerUse use;
  add_network(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
      "    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0\n"
      "  tap0: 1234 5 0 0 0 0 0 0 777 6 0 0 0 0 0 0\n"
      "eth0:1 5 0 0 0 0 0 0 2 6 0 0 0 0 0 0\n",
      use);
  CHECK(use.network_in == 1235);
  CHECK(use.network_out == 779);
  add_network("tap0:\nno colon\n:", use);
  CHECK(use.network_in == 1235);
}

TEST_CASE("numbers are found by the whole key") {
  const char* const text = "Rss:  5 kB\nPss_Anon: 7 kB\nPss:      42 kB\nread_bytes: 4096\n";
  CHECK(number_of(text, "Pss") == 42);
  CHECK(number_of(text, "read_bytes") == 4096);
  CHECK(number_of(text, "Swap") == 0);
  CHECK(number_of("", "Pss") == 0);
  CHECK(machine_memory() > 0);
}
