#include "base/rfc3339.hpp"

#include <catch2/catch.hpp>

using sbx::format_rfc3339;
using sbx::parse_rfc3339;

TEST_CASE("times as images have them") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_rfc3339("2024-02-29T12:34:56Z") == 1709210096);
  CHECK(parse_rfc3339("2024-02-29T12:34:56.123456789Z") == 1709210096);
  CHECK(parse_rfc3339("2024-02-29T14:34:56+02:00") == 1709210096);
  CHECK(parse_rfc3339("2024-02-29T04:04:56-08:30") == 1709210096);
  CHECK(parse_rfc3339("0001-01-01T00:00:00Z") == -62135596800);
}

TEST_CASE("what is no time is none") {
  for (const char* text : {"", "2024", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z",
                           "2024-02-29T24:00:00Z", "2024-02-29T12:34:56", "2024-02-29T12:34:56.Z",
                           "2024-02-29T12:34:56Zx", "2024-02-29T12:34:56+2:00", "yesterday"}) {
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("a time and its text are one") {
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{1709210096}, std::int64_t{-1}}) {
    CHECK(parse_rfc3339(format_rfc3339(seconds)) == seconds);
  }
  CHECK(format_rfc3339(1709210096) == "2024-02-29T12:34:56Z");
}
