#include "oci/platform.hpp"

#include <catch2/catch.hpp>

using sbx::oci::Platform;
using sbx::oci::platform_rank;

TEST_CASE("platforms are read with their aliases") {
  CHECK(Platform::parse("linux/amd64")->str() == "linux/amd64");
  CHECK(Platform::parse("x86_64")->str() == "linux/amd64");
  CHECK(Platform::parse("linux/aarch64")->str() == "linux/arm64");
  CHECK(Platform::parse("linux/arm64/v8")->str() == "linux/arm64");
  CHECK(Platform::parse("Linux/ARM/6")->str() == "linux/arm/v6");
  CHECK(Platform::parse("linux/arm")->str() == "linux/arm/v7");
  for (const char* bad : {"", "/", "linux/", "linux/a/b/c", "linux/a b"}) {
    CHECK_FALSE(Platform::parse(bad));
  }
}

TEST_CASE("the best variant that runs wins") {
  const Platform host{"linux", "amd64", "v3"};
  const auto rank = [&](const char* text) { return platform_rank(host, *Platform::parse(text)); };
  CHECK(rank("linux/amd64/v3") > rank("linux/amd64/v2"));
  CHECK(rank("linux/amd64/v2") > rank("linux/amd64"));
  CHECK(rank("linux/amd64") > 0);
  CHECK(rank("linux/amd64/v4") == 0);
  CHECK(rank("linux/arm64") == 0);
  CHECK(platform_rank(*Platform::parse("linux/arm/v7"), *Platform::parse("linux/arm/v6")) > 0);
  CHECK(platform_rank(*Platform::parse("linux/arm/v6"), *Platform::parse("linux/arm/v7")) == 0);
  CHECK(platform_rank(Platform::host(), Platform::host()) == 100);
}
