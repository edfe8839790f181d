#include "cli/duration.hpp"

#include <catch2/catch.hpp>

using sbx::cli::read_duration;

TEST_CASE("durations are Go's") {
  CHECK(read_duration("30s") == 30'000);
  CHECK(read_duration("1h1m1s") == 3'661'000);
  CHECK(read_duration("1.5s") == 1500);
  CHECK(read_duration("250ms") == 250);
  CHECK(read_duration("0") == 0);
  CHECK(read_duration("0s") == 0);
}

TEST_CASE("what is no duration is none") {
  for (const char* wrong :
       {"", "s", "5", "-1s", "1x", "1s ", " 1s", "nan", "infs", "1e9h", "1000000h"}) {
    CHECK_FALSE(read_duration(wrong));
  }
}
