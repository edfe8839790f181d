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
  CHECK(options->registry.auth_file == "/a");
  CHECK(options->registry.verify == false);
  CHECK(options->platform == "linux/arm64");
  CHECK(options->progress);
  CHECK(options->name == "busybox");
  CHECK_FALSE(parse_pull({"--root", "/r", "x"})->registry.verify.has_value());
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

namespace {

template <class Options>
sbx::Result<Options> parse_as(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  return Options::parse(arguments);
}

template <class Options>
void check_refused(const std::vector<std::vector<std::string>>& lines) {
  for (const std::vector<std::string>& words : lines) {
    const auto wrong = parse_as<Options>(words);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().hint == Options::kUsage);
  }
}

}  // namespace

TEST_CASE("push: a whole command line, and what is wrong") {
  using sbx::transfer::PushOptions;
  const auto options =
      parse_as<PushOptions>({"--root", "/r", "--store", "/s", "--store", "/t", "--compress", "zstd",
                             "--format", "docker", "--authfile", "/a", "--", "image", "there:1"});
  REQUIRE(options);
  CHECK(options->stores == std::vector<std::string>{"/s", "/t"});
  CHECK(options->compression == sbx::layer::Compression::kZstd);
  CHECK(options->docker_manifest == true);
  CHECK(options->registry.auth_file == "/a");
  CHECK(options->image == "image");
  CHECK(options->destination == "there:1");
  const auto plain = parse_as<PushOptions>({"--root", "/r", "image", "there:1"});
  REQUIRE(plain);
  CHECK_FALSE(plain->compression.has_value());
  CHECK_FALSE(plain->docker_manifest.has_value());
  check_refused<PushOptions>({{"--root", "/r", "image"},
                              {"--root", "/r", "--compress", "lzma", "a", "b"},
                              {"--root", "/r", "--format", "v1", "a", "b"},
                              {"a", "b"}});
}

TEST_CASE("login, logout, search, describe: what is wrong") {
  using namespace sbx::transfer;
  CHECK(parse_as<LoginOptions>({"--user", "me", "--keep", "quay.io"})->keep);
  CHECK(parse_as<LoginOptions>({"quay.io"})->user.empty());
  check_refused<LoginOptions>({{}, {"--keep", "quay.io"}, {"a", "b"}, {"--password", "x", "a"}});
  CHECK(parse_as<LogoutOptions>({"a", "b"})->keys == std::vector<std::string>{"a", "b"});
  check_refused<LogoutOptions>({{}});
  check_refused<LoginsOptions>({{"a"}});
  CHECK(parse_as<SearchOptions>({"--limit", "7", "--tags", "x"})->limit == 7);
  check_refused<SearchOptions>(
      {{}, {"--limit", "0", "x"}, {"--limit", "-1", "x"}, {"--limit", "1x", "x"}});
  CHECK(parse_as<DescribeOptions>({"--platform", "linux/arm64", "x"})->platform == "linux/arm64");
  check_refused<DescribeOptions>({{}, {"--tls-verify", "maybe", "x"}});
}
