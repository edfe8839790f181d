#include "sys/idmap.hpp"

#include <catch2/catch.hpp>

using sbx::sys::IdRange;
using sbx::sys::own_ids;
using sbx::sys::parse_subids;

using Ranges = std::vector<IdRange>;

TEST_CASE("subordinate ids go by name or number; broken lines are passed over") {
  const char* text =
      "ann:100000:65536\n"
      "1000:300000:10\n"
      "bob:1:1\n"
      "ann:x:5\n"
      "ann:5\n"
      "ann:4294967295:2\n"
      "ann:200000:0\n"
      ":7:7\n"
      "annx:9:9";
  CHECK(parse_subids(text, "ann", 1000) == Ranges{{100000, 65536}, {300000, 10}});
  CHECK(parse_subids(text, "nobody", 5).empty());
  CHECK(parse_subids("", "ann", 1000).empty());
  CHECK(parse_subids("ann:1:2", "ann", 7) == Ranges{{1, 2}});
}

TEST_CASE("our own user namespace maps something") {
  const auto ranges = own_ids("/proc/self/uid_map").value();
  REQUIRE_FALSE(ranges.empty());
  CHECK(ranges.front().count >= 1);
}
