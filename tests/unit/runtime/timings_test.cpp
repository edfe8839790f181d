#include "runtime/timings.hpp"

#include <catch2/catch.hpp>

TEST_CASE("moments are told in the order of time, with the step before each") {
  sbx::runtime::Timings timings(1'000'000);
  timings.mark("second", 4'000'000);
  timings.mark("first", 2'500'000);
  CHECK(timings.table() ==
        "     ms   step  moment\n"
        "   1.50   1.50  first\n"
        "   3.00   1.50  second\n");
}
