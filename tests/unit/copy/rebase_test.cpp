#include "copy/rebase.hpp"

#include <catch2/catch.hpp>

using sbx::copy::rebased;

TEST_CASE("a tree under another name") {
  CHECK(rebased({"a", "b"}, "a") == "b");
  CHECK(rebased({"a", "b"}, "a/x/y") == "b/x/y");
  CHECK(rebased({"a", "b"}, "ab") == "ab");
  CHECK(rebased({"a", ""}, "a/x") == "x");
}

TEST_CASE("the contents of a directory") {
  CHECK(rebased({"", "b"}, "") == "b");
  CHECK(rebased({"", "b"}, "x/y") == "b/x/y");
  CHECK(rebased({"", ""}, "x") == "x");
}
