#include "layer/tar_path.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::layer::clean_tar_path;

TEST_CASE("paths are made relative and plain") {
  CHECK(clean_tar_path("a/b").value() == "a/b");
  CHECK(clean_tar_path("./a//./b/").value() == "a/b");
  CHECK(clean_tar_path("/").value().empty());
  CHECK(clean_tar_path("./").value().empty());
  CHECK(clean_tar_path("...").value() == "...");
}

TEST_CASE("paths that lead out or are too long are refused") {
  for (const char* path : {"..", "../a", "a/..", "a/../b", "/..", "/abs", "//a/b"}) {
    CHECK(clean_tar_path(path).error().code == ErrorCode::kCorrupt);
  }
  CHECK(clean_tar_path(std::string_view("a\0b", 3)).error().code == ErrorCode::kCorrupt);
  CHECK(clean_tar_path(std::string(255, 'x')));
  CHECK(clean_tar_path(std::string(256, 'x')).error().code == ErrorCode::kLimit);
  std::string deep;
  for (int i = 0; i < 1025; ++i) {
    deep += "d/";
  }
  CHECK(clean_tar_path(deep).error().code == ErrorCode::kLimit);
  CHECK(clean_tar_path(deep.substr(2)));
}
