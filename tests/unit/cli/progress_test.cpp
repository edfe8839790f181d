#include "cli/progress.hpp"

#include <catch2/catch.hpp>

using sbx::cli::progress_line;

TEST_CASE("a line of the live view") {
  CHECK(progress_line("layer 1", 500'000, 1'000'000, 1.0) ==
        "layer 1      [==========          ] 500kB/1.00MB  500kB/s, 1s left");
  CHECK(progress_line("layer 1", 0, 1'000'000, 0.0) ==
        "layer 1      [                    ] 0B/1.00MB  waiting");
  CHECK(progress_line("total", 1'000'000, 1'000'000, 2.0) ==
        "total        [====================] 1.00MB/1.00MB  done");
}

TEST_CASE("odd numbers make no odd lines") {
  CHECK(progress_line("layer 2", 0, 0, 0.0).ends_with("done"));
  CHECK(progress_line("layer 3", 7, 5, 1.0).find("5B/5B") != std::string::npos);
  CHECK(progress_line("layer 4", 1, 1'000'000'000'000, 1.0).find("99h59m left") !=
        std::string::npos);
  CHECK(progress_line(std::string(100, 'x'), 1, 2, 1.0).size() == 79);
}
