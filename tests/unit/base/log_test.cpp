#include "base/log.hpp"

#include <catch2/catch.hpp>

TEST_CASE("levels below the set one are off") {
  sbx::log::set_level(sbx::log::Level::kWarn);
  CHECK_FALSE(sbx::log::enabled(sbx::log::Level::kDebug));
  CHECK(sbx::log::enabled(sbx::log::Level::kWarn));
  sbx::log::set_level(sbx::log::Level::kOff);
  CHECK_FALSE(sbx::log::enabled(sbx::log::Level::kError));
  sbx::log::warn("not to be seen {}", 1);
  sbx::log::set_level(sbx::log::Level::kWarn);
}
