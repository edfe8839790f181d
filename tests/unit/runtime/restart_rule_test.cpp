#include "runtime/restart_rule.hpp"

#include <catch2/catch.hpp>

using namespace sbx::runtime;
using sbx::RestartPolicy;
using std::chrono::milliseconds;

TEST_CASE("nothing runs again unless it was asked for") {
  CHECK_FALSE(RestartRule({}).after_end(1, milliseconds(0)));
}

TEST_CASE("after failures only, and not more often than was asked for") {
  RestartRule rule({RestartPolicy::kOnFailure, 2});
  CHECK_FALSE(rule.after_end(0, milliseconds(0)));
  CHECK(rule.after_end(1, milliseconds(0)));
  CHECK(rule.after_end(137, milliseconds(0)));
  CHECK_FALSE(rule.after_end(1, milliseconds(0)));
}

TEST_CASE("pauses grow to a minute, and begin again after a good run") {
  RestartRule rule({RestartPolicy::kAlways, 0});
  CHECK(rule.after_end(0, milliseconds(5)) == milliseconds(100));
  CHECK(rule.after_end(0, milliseconds(5)) == milliseconds(200));
  for (int i = 0; i < 20; ++i) {
    (void)rule.after_end(0, milliseconds(5));
  }
  CHECK(rule.after_end(0, milliseconds(9'999)) == milliseconds(60'000));
  CHECK(rule.after_end(0, milliseconds(10'000)) == milliseconds(100));
}
