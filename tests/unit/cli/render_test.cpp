#include "cli/render.hpp"

#include <catch2/catch.hpp>

using sbx::cli::human_age;
using sbx::cli::human_size;

TEST_CASE("sizes have three digits and decimal units, as docker's") {
  CHECK(human_size(0) == "0B");
  CHECK(human_size(999) == "999B");
  CHECK(human_size(1234) == "1.23kB");
  CHECK(human_size(45678901) == "45.7MB");
  CHECK(human_size(450000000000ULL) == "450GB");
}

TEST_CASE("ages are rounded down, and nothing for what is no time") {
  CHECK(human_age("2000-01-01T00:00:00Z").ends_with("years ago"));
  CHECK(human_age("2999-01-01T00:00:00Z") == "less than a minute ago");
  CHECK(human_age("yesterday").empty());
  CHECK(human_age("").empty());
}
