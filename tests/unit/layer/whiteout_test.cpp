#include "layer/whiteout.hpp"

#include <catch2/catch.hpp>

using sbx::layer::parse_whiteout;
using sbx::layer::WhiteoutKind;

TEST_CASE("whiteouts by their names") {
  CHECK(parse_whiteout("a/b")->kind == WhiteoutKind::kNone);
  CHECK(parse_whiteout("a/.whx")->kind == WhiteoutKind::kNone);
  CHECK(parse_whiteout("a/.wh.b")->kind == WhiteoutKind::kName);
  CHECK(parse_whiteout("a/.wh.b")->name == "b");
  CHECK(parse_whiteout("a/.wh.b")->directory == "a");
  CHECK(parse_whiteout(".wh..hidden")->name == ".hidden");
  CHECK(parse_whiteout(".wh..wh..opq")->kind == WhiteoutKind::kOpaque);
  CHECK(parse_whiteout("x/y/.wh..wh..opq")->directory == "x/y");
  CHECK(parse_whiteout(".wh..wh.aufs")->kind == WhiteoutKind::kIgnored);
  CHECK(parse_whiteout(".wh..wh.plnk/1.2")->kind == WhiteoutKind::kIgnored);
}

TEST_CASE("what whiteouts cannot mean") {
  for (const char* path : {".wh.", "a/.wh.", ".wh..", ".wh...", ".wh.a/b", "x/.wh.a/.wh.b"}) {
    CHECK_FALSE(parse_whiteout(path));
  }
}
