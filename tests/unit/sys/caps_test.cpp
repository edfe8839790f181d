#include "sys/caps.hpp"

#include <catch2/catch.hpp>

using namespace sbx::sys;

TEST_CASE("capabilities have names in any case, with or without CAP_") {
  CHECK(capability("CAP_CHOWN").value() == 1U);
  CHECK(capability("chown").value() == 1U);
  CHECK(capability("Sys_Admin").value() == CapabilityMask{1} << 21U);
  CHECK(capabilities({"chown", "dac_override"}).value() == 3U);
  CHECK(capability("no_such").error().code == sbx::ErrorCode::kInvalidArgument);
  CHECK(capability("").error().code == sbx::ErrorCode::kInvalidArgument);
}

TEST_CASE("the kernel knows at least CAP_AUDIT_READ, since Linux 3.16") {
  CHECK(last_capability() >= 37);
}
