#include "registry/retry.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;
using namespace std::chrono_literals;

TEST_CASE("what may pass") {
  for (const int status : {429, 500, 502, 503, 504}) {
    CHECK(is_passing(status));
  }
  for (const int status : {200, 400, 401, 403, 404, 416, 501, 505}) {
    CHECK(!is_passing(status));
  }
}

TEST_CASE("Retry-After in seconds and as a date") {
  CHECK(parse_retry_after("7", 0) == 7s);
  CHECK(parse_retry_after("0", 0) == 0s);
  CHECK(parse_retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 40) == 60s);
  CHECK(parse_retry_after("Thu, 01 Jan 1970 00:00:10 GMT", 40) == 0s);
  CHECK(parse_retry_after("18446744073709551615", 0) == 1'000'000'000s);
  CHECK(!parse_retry_after("", 0));
  CHECK(!parse_retry_after("soon", 0));
  CHECK(!parse_retry_after("-5", 0));
  CHECK(!parse_retry_after(std::string(100, '9'), 0));
}

TEST_CASE("waits double, vary, and are bounded") {
  const RetryPolicy policy{.tries = 5, .first_wait = 1000ms, .longest_wait = 60s};
  CHECK(wait_before_retry(policy, 1, 0, 0ms) == 500ms);
  CHECK(wait_before_retry(policy, 1, UINT32_MAX, 0ms) == 999ms);
  CHECK(wait_before_retry(policy, 3, 0, 0ms) == 2000ms);
  CHECK(wait_before_retry(policy, 40, UINT32_MAX, 0ms) <= 60s);
  CHECK(wait_before_retry(policy, 1, 0, 5s) == 5s);
  CHECK(wait_before_retry(policy, 1, 0, 5h) == 60s);
}

TEST_CASE("a sleep ends when it is told to") {
  int asked = 0;
  CHECK(!sleep_unless([&] { return ++asked == 2; }, 1h));
  CHECK(asked == 2);
  CHECK(sleep_unless(nullptr, 0ms));
}
