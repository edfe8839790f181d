#include "sys/filter.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::sys::FilterLimits;
using sbx::sys::run_filter;
using namespace std::chrono_literals;

TEST_CASE("a filter gets all its input and gives all its output") {
  const std::string text = "first line\nno newline at the end";
  const auto copied = run_filter({"/bin/cat"}, text);
  REQUIRE(copied);
  CHECK(copied->output == text);
  CHECK(copied->status.code == 0);
  const std::string large(60'000, 'x');
  CHECK(run_filter({"/bin/cat"}, large)->output == large);
  CHECK(run_filter({"/bin/sh", "-c", "cat /dev/stdin"}, "again")->output == "again");
  CHECK(run_filter({"/bin/cat"}, "")->output.empty());
}

TEST_CASE("a filter that does not read its input does no harm, and its end is told") {
  CHECK(run_filter({"/bin/sh", "-c", "exit 7"}, std::string(60'000, 'x'))->status.code == 7);
  CHECK(run_filter({"/bin/sh", "-c", "kill -9 $$"}, "")->status.signal == 9);
  CHECK(run_filter({"/nowhere/program"}, "").error().code == ErrorCode::kNotFound);
  CHECK(run_filter({"/bin/sh", "-c", "exec >&-; exit 3"}, "")->status.code == 3);
}

TEST_CASE("a filter that says too much or does not end is killed") {
  FilterLimits limits;
  limits.output = 1000;
  CHECK(run_filter({"/bin/cat", "/dev/zero"}, "", limits).error().code == ErrorCode::kLimit);
  limits.time = 50ms;
  CHECK(run_filter({"/bin/sleep", "60"}, "", limits).error().code == ErrorCode::kLimit);
  CHECK(run_filter({"/bin/sh", "-c", "exec >&-; exec sleep 60"}, "", limits).error().code ==
        ErrorCode::kLimit);
}

TEST_CASE("what a filter leaves behind is not waited for") {
  const auto left = run_filter({"/bin/sh", "-c", "sleep 20 & echo done"}, "");
  REQUIRE(left);
  CHECK(left->output == "done\n");
}
