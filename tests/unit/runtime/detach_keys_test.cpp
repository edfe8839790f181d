#include "runtime/detach_keys.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::runtime::DetachKeys;

TEST_CASE("the keys are found, also in pieces, and nothing else is kept back for long") {
  DetachKeys keys = DetachKeys::parse("ctrl-p,ctrl-q").value();
  CHECK(keys.feed("ab").forward == "ab");
  CHECK(keys.feed("\x10").forward.empty());
  const DetachKeys::Fed other = keys.feed("x");
  CHECK(other.forward == "\x10x");
  CHECK_FALSE(other.detach);
  CHECK(keys.feed("\x10\x10").forward == "\x10");
  const DetachKeys::Fed done = keys.feed("\x11rest");
  CHECK(done.detach);
  CHECK(done.forward.empty());
}

TEST_CASE("keys are characters, or control characters") {
  CHECK(DetachKeys::parse("a,b").value().feed("ab").detach);
  CHECK(DetachKeys::parse(",").value().feed(",").detach);
  CHECK(DetachKeys::parse("ctrl-@").value().feed(std::string_view("\0", 1)).detach);
  DetachKeys none = DetachKeys::parse("").value();
  CHECK(none.feed("\x10\x11").forward == "\x10\x11");
  for (const char* wrong : {"ctrl-", "ctrl-P", "ab", "a,,b", "ctrl-p,xy"}) {
    CHECK(DetachKeys::parse(wrong).error().code == ErrorCode::kInvalidArgument);
  }
}
