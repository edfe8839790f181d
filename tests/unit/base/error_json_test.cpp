#include "base/error_json.hpp"

#include <catch2/catch.hpp>

using sbx::Error;
using sbx::ErrorCode;

TEST_CASE("an error comes back as it went out") {
  const Error error = Error::system("open", "/x", EACCES)
                          .with_hint("look")
                          .with_context("inner")
                          .with_context("outer");
  const auto back = sbx::error_from_json(sbx::error_to_json(error));
  REQUIRE(back);
  CHECK(back->code == ErrorCode::kDenied);
  CHECK(back->sys_errno == EACCES);
  CHECK(back->message() == error.message());
  for (int code = 0; code <= static_cast<int>(ErrorCode::kCommandNotRunnable); ++code) {
    const Error other = Error::make(static_cast<ErrorCode>(code), "a", "b", "c");
    CHECK(sbx::error_from_json(sbx::error_to_json(other))->code == other.code);
  }
}

TEST_CASE("what is no error is refused") {
  CHECK_FALSE(sbx::error_from_json({{"code", "no such"}}));
  CHECK_FALSE(sbx::error_from_json({{"code", "busy"}, {"trail", "x"}}));
  CHECK_FALSE(sbx::error_from_json(sbx::Json::array()));
}
