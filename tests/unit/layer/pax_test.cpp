#include "layer/pax.hpp"

#include <catch2/catch.hpp>

#include "tar_builder.hpp"

using sbx::layer::parse_pax;
using sbx::layer::parse_pax_time;
using sbx::test::pax_record;

TEST_CASE("times with fractions, before and after 1970") {
  const auto is = [](std::string_view text, std::int64_t seconds, std::uint32_t nanoseconds) {
    const auto time = parse_pax_time(text);
    return time && time->seconds == seconds && time->nanoseconds == nanoseconds;
  };
  CHECK(is("0", 0, 0));
  CHECK(is("1.5", 1, 500'000'000));
  CHECK(is("1.0000000019", 1, 1));
  CHECK(is("-1", -1, 0));
  CHECK(is("-1.25", -2, 750'000'000));
  CHECK(is("-0.5", -1, 500'000'000));
  CHECK(is("7.", 7, 0));
  for (const char* bad :
       {"", "-", ".", "x", "1.x", "1e3", "--1", "+1", " 1", "99999999999999999999"}) {
    CHECK_FALSE(parse_pax_time(bad));
  }
}

TEST_CASE("the last record of a keyword wins, an empty one takes it back") {
  CHECK(parse_pax(pax_record("uid", "1") + pax_record("uid", "2"))->uid == 2);
  CHECK_FALSE(parse_pax(pax_record("path", "a") + pax_record("path", ""))->path.has_value());
  CHECK(parse_pax(pax_record("SCHILY.xattr.user.empty", ""))->xattrs.at("user.empty").empty());
  CHECK(parse_pax("")->xattrs.empty());
}

TEST_CASE("of two spellings of an xattr the one without base64 wins") {
  const auto pax = parse_pax(pax_record("SCHILY.xattr.user.a", "plain") +
                             pax_record("LIBARCHIVE.xattr.user.a", "Zm9v"));
  REQUIRE(pax);
  CHECK(pax->xattrs.at("user.a") == "plain");
  CHECK_FALSE(parse_pax(pax_record("LIBARCHIVE.xattr.user.a", "!")));
}

TEST_CASE("too many and too large xattrs are refused") {
  std::string many;
  for (int i = 0; i < 600; ++i) {
    many += pax_record("SCHILY.xattr.user." + std::to_string(i), "x");
  }
  CHECK(parse_pax(many).error().code == sbx::ErrorCode::kLimit);
  CHECK(parse_pax(pax_record("SCHILY.xattr.user.a", std::string(70'000, 'x'))).error().code ==
        sbx::ErrorCode::kLimit);
}
