#include "runtime/settings.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::NetworkMode;
using sbx::runtime::parse_settings;

TEST_CASE("every key") {
  const auto settings = parse_settings(
      "# comment\nimage_stores = [\"/a\", \"/b c\"]\nnetwork = \"none\"\ninit = true\n"
      "overlay = \"kernel\"\n",
      "x");
  REQUIRE(settings);
  CHECK(settings->image_stores == std::vector<std::string>{"/a", "/b c"});
  CHECK(settings->network == NetworkMode::kNone);
  CHECK(settings->init == true);
  CHECK(settings->overlay == sbx::OverlayEngine::kKernel);
  const auto empty = parse_settings("", "x");
  REQUIRE(empty);
  CHECK(empty->image_stores.empty());
  CHECK_FALSE(empty->network);
  CHECK_FALSE(empty->init);
}

TEST_CASE("what makes no sense is told with its file and line") {
  for (const char* text :
       {"image_stores = \"/a\"", "image_stores = [\"relative\"]", "image_stores = [1]",
        "network = \"bridge\"", "network = 1", "init = \"yes\"", "overlay = \"zfs\"",
        "overlay = true", "colour = \"red\"", "[run]\nx = 1"}) {
    INFO(text);
    const auto settings = parse_settings(std::string("\n") + text, "/etc/file");
    REQUIRE_FALSE(settings);
    CHECK(settings.error().code == ErrorCode::kInvalidArgument);
    CHECK(settings.error().message().find("/etc/file:2") != std::string::npos);
  }
  CHECK(parse_settings("network = ", "/etc/file").error().code == ErrorCode::kCorrupt);
}
