#include "transfer/options.hpp"

#include <catch2/catch.hpp>

using sbx::transfer::LoadOptions;
using sbx::transfer::PullOptions;

namespace {

sbx::Result<LoadOptions> parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  return LoadOptions::parse(arguments);
}

}  // namespace

TEST_CASE("a whole command line") {
  const auto options = parse({"--root", "/r", "--tag", "a", "--tag", "b", "--platform",
                              "linux/arm64", "--progress", "oci:x"});
  REQUIRE(options);
  CHECK(options->root == "/r");
  CHECK(options->tags == std::vector<std::string>{"a", "b"});
  CHECK(options->platform == "linux/arm64");
  CHECK(options->progress);
  CHECK(options->source == "oci:x");
}

TEST_CASE("anything else is refused") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"--root"},
                                                {"--root", "r", "oci:x"},
                                                {"--root", "/r"},
                                                {"--root", "/r", "a", "b"},
                                                {"--root", "/r", "--bad", "a"}}) {
    const auto options = parse(words);
    REQUIRE_FALSE(options);
    CHECK(options.error().code == sbx::ErrorCode::kInvalidArgument);
    CHECK(options.error().hint == LoadOptions::kUsage);
  }
}

namespace {

sbx::Result<PullOptions> parse_pull(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  return PullOptions::parse(arguments);
}

}  // namespace

TEST_CASE("pull: a whole command line, and what is wrong") {
  const auto options = parse_pull({"--root", "/r", "--authfile", "/a", "--tls-verify", "false",
                                   "--platform", "linux/arm64", "--progress", "busybox"});
  REQUIRE(options);
  CHECK(options->root == "/r");
  CHECK(options->auth_file == "/a");
  CHECK(options->verify == false);
  CHECK(options->platform == "linux/arm64");
  CHECK(options->progress);
  CHECK(options->name == "busybox");
  CHECK_FALSE(parse_pull({"--root", "/r", "x"})->verify.has_value());
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"--root", "/r"},
                                                {"--root", "r", "x"},
                                                {"--root", "/r", "a", "b"},
                                                {"--root", "/r", "--tls-verify", "perhaps", "x"}}) {
    const auto wrong = parse_pull(words);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().hint == PullOptions::kUsage);
  }
}
