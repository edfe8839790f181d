#include "transfer/options.hpp"

#include <catch2/catch.hpp>

using sbx::transfer::Options;

namespace {

sbx::Result<Options> parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  return Options::parse(arguments);
}

}  // namespace

TEST_CASE("a whole command line") {
  const auto options = parse({"load", "--root", "/r", "--tag", "a", "--tag", "b", "--platform",
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
                                                {"pull"},
                                                {"load"},
                                                {"load", "--root"},
                                                {"load", "--root", "r", "oci:x"},
                                                {"load", "--root", "/r"},
                                                {"load", "--root", "/r", "a", "b"},
                                                {"load", "--root", "/r", "--bad", "a"}}) {
    CHECK_FALSE(parse(words));
  }
}
