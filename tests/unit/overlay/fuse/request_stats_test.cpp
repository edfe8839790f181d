#include "overlay/fuse/request_stats.hpp"

#include <linux/fuse.h>
#include <catch2/catch.hpp>

namespace sbx::overlay {
namespace {

TEST_CASE("the table of requests has the most frequent first and the sum last") {
  RequestStats stats{};
  stats[FUSE_GETATTR] = {2, 3'000};
  stats[FUSE_LOOKUP] = {10, 1'000'000};
  CHECK(table(stats) ==
        "request              count    work ms  us each\n"
        "LOOKUP                  10       1.00   100.00\n"
        "GETATTR                  2       0.00     1.50\n"
        "all                     12       1.00    83.58\n");
}

TEST_CASE("a table of no requests") {
  CHECK(table({}) ==
        "request              count    work ms  us each\n"
        "all                      0       0.00     0.00\n");
}

TEST_CASE("counts of requests add up") {
  RequestStats sum{};
  RequestStats part{};
  part[FUSE_READ] = {3, 30};
  add(sum, part);
  add(sum, part);
  CHECK(sum[FUSE_READ].count == 6U);
  CHECK(sum[FUSE_READ].ns == 60U);
  CHECK(sum[FUSE_WRITE].count == 0U);
}

TEST_CASE("an unknown request is named by its number") {
  CHECK(request_name(FUSE_BATCH_FORGET) == "BATCH_FORGET");
  CHECK(request_name(53) == "COPY_FILE_RANGE_64");
  CHECK(request_name(63) == "63");
}

}  // namespace
}  // namespace sbx::overlay
