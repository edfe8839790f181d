#include "overlay/core/posix_acl.hpp"

#include <catch2/catch.hpp>

#include "../acls.hpp"

namespace sbx::overlay::test {

namespace {

std::optional<PosixAcl> parse(const std::string& value) {
  return PosixAcl::parse(std::as_bytes(std::span(value)));
}

}  // namespace

TEST_CASE("an ACL comes back as it was written", "[posix_acl]") {
  const std::string small = acl_value({{kUserObj, 7}, {kGroupObj, 5}, {kOther, 1}});
  const auto acl = parse(small);
  REQUIRE(acl);
  CHECK(acl->format() == small);
  CHECK(acl->mode() == 0751);
  CHECK(acl->is_mode());
  const std::string large = acl_value(
      {{kUserObj, 6}, {kUser, 4, 33}, {kGroupObj, 7}, {kGroup, 2, 44}, {kMask, 5}, {kOther, 0}});
  REQUIRE(parse(large));
  CHECK(parse(large)->format() == large);
  CHECK(parse(large)->mode() == 0650);
  CHECK_FALSE(parse(large)->is_mode());
}

TEST_CASE("what is no ACL is not taken", "[posix_acl]") {
  const std::string good = acl_value({{kUserObj, 7}, {kGroupObj, 5}, {kOther, 1}});
  CHECK_FALSE(parse(""));
  CHECK_FALSE(parse(good.substr(0, 4)));
  CHECK_FALSE(parse(good + "x"));
  CHECK_FALSE(parse("\1" + good.substr(1)));
  CHECK_FALSE(parse(acl_value({{kUserObj, 7}, {kGroupObj, 5}})));
  CHECK_FALSE(parse(acl_value({{kUserObj, 7}, {kOther, 5}, {kGroupObj, 1}})));
  CHECK_FALSE(parse(acl_value({{kUserObj, 7}, {kUserObj, 7}, {kGroupObj, 5}, {kOther, 1}})));
  CHECK_FALSE(parse(acl_value({{kUserObj, 8}, {kGroupObj, 5}, {kOther, 1}})));
  CHECK_FALSE(parse(acl_value({{kUserObj, 7}, {kUser, 7, 1}, {kGroupObj, 5}, {kOther, 1}})));
  CHECK_FALSE(parse(acl_value({{kUserObj, 7}, {kGroupObj, 5}, {kOther, 1}, {0x40, 1}})));
  std::vector<AclEntry> many{{kUserObj, 7}};
  for (std::uint32_t id = 0; id < 600; ++id) {
    many.push_back({kUser, 7, id});
  }
  many.insert(many.end(), {{kGroupObj, 5}, {kMask, 5}, {kOther, 1}});
  CHECK_FALSE(parse(acl_value(many)));
}

TEST_CASE("a mode changes what it stands for", "[posix_acl]") {
  auto plain = *parse(acl_value({{kUserObj, 7}, {kGroupObj, 5}, {kOther, 1}}));
  plain.set_mode(0100642);
  CHECK(plain.format() == acl_value({{kUserObj, 6}, {kGroupObj, 4}, {kOther, 2}}));
  auto masked =
      *parse(acl_value({{kUserObj, 7}, {kUser, 7, 1}, {kGroupObj, 5}, {kMask, 7}, {kOther, 1}}));
  masked.set_mode(0610);
  CHECK(masked.format() ==
        acl_value({{kUserObj, 6}, {kUser, 7, 1}, {kGroupObj, 5}, {kMask, 1}, {kOther, 0}}));
}

TEST_CASE("a new file gets of a default ACL what it wishes", "[posix_acl]") {
  auto acl =
      *parse(acl_value({{kUserObj, 7}, {kUser, 6, 1}, {kGroupObj, 5}, {kMask, 7}, {kOther, 5}}));
  CHECK(acl.inherit(0102664) == 0102664);
  CHECK(acl.format() ==
        acl_value({{kUserObj, 6}, {kUser, 6, 1}, {kGroupObj, 5}, {kMask, 6}, {kOther, 4}}));
  auto plain = *parse(acl_value({{kUserObj, 7}, {kGroupObj, 0}, {kOther, 0}}));
  CHECK(plain.inherit(040777) == 040700);
  CHECK(plain.is_mode());
}

TEST_CASE("who has no name on the other side is left out", "[posix_acl]") {
  auto acl = *parse(acl_value({{kUserObj, 7},
                               {kUser, 6, 1},
                               {kUser, 5, 2},
                               {kUser, 4, 3},
                               {kGroupObj, 5},
                               {kGroup, 3, 1},
                               {kMask, 7},
                               {kOther, 5}}));
  acl.map_ids(
      [](std::uint32_t id) { return id == 3 ? std::nullopt : std::optional<std::uint32_t>(10); },
      [](std::uint32_t id) { return std::optional(id + 1); });
  CHECK(acl.format() == acl_value({{kUserObj, 7},
                                   {kUser, 6, 10},
                                   {kGroupObj, 5},
                                   {kGroup, 3, 2},
                                   {kMask, 7},
                                   {kOther, 5}}));
}

}  // namespace sbx::overlay::test
