#include "registry/challenge.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("Docker Hub's challenge") {
  const auto found = parse_challenges(
      "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
      "scope=\"repository:library/busybox:pull,push\"");
  REQUIRE(found.size() == 1);
  CHECK(found[0].scheme == "bearer");
  CHECK(found[0].realm == "https://auth.docker.io/token");
  CHECK(found[0].service == "registry.docker.io");
  CHECK(found[0].scope == "repository:library/busybox:pull,push");
}

TEST_CASE("several challenges in one header, in any spelling") {
  const auto found = parse_challenges(
      "BASIC Realm=a , bearer REALM = \"https://a/\\\"b\" , x=\"1, basic y=2\", service=s");
  REQUIRE(found.size() == 2);
  CHECK(found[0].scheme == "basic");
  CHECK(found[0].realm == "a");
  CHECK(found[1].scheme == "bearer");
  CHECK(found[1].realm == "https://a/\"b");
  CHECK(found[1].service == "s");
  CHECK(choose_challenge(found) == &found[1]);
}

TEST_CASE("schemes without parameters, and unquoted addresses") {
  const auto found = parse_challenges("Negotiate, Bearer realm=https://a/token?x=1,service=b");
  REQUIRE(found.size() == 2);
  CHECK(found[0].scheme == "negotiate");
  CHECK(found[1].realm == "https://a/token?x=1");
}

TEST_CASE("what is malformed ends the list") {
  CHECK(parse_challenges("").empty());
  CHECK(parse_challenges(" ,, ").empty());
  CHECK(parse_challenges("=x").empty());
  CHECK(parse_challenges("Bearer realm=\"never ends").empty());
  CHECK(parse_challenges("Bearer realm=\"ends in \\").empty());
  CHECK(parse_challenges("Bearer realm=").empty());
  CHECK(parse_challenges("Basic realm=\"a\", Bearer realm=\"b").size() == 1);
}

TEST_CASE("a challenge that is too much is not taken") {
  CHECK(parse_challenges(std::string(9000, 'a')).empty());
  std::string many = "Bearer ";
  for (int i = 0; i < 40; ++i) {
    many += "a=b,";
  }
  CHECK(parse_challenges(many).empty());
  std::string schemes;
  for (int i = 0; i < 40; ++i) {
    schemes += "Basic realm=\"x\", ";
  }
  CHECK(parse_challenges(schemes).size() == 8);
}

TEST_CASE("the first value of a parameter counts, and Basic only where there is no Bearer") {
  const auto twice = parse_challenges("Bearer realm=\"https://a\",realm=\"https://b\"");
  REQUIRE(twice.size() == 1);
  CHECK(twice[0].realm == "https://a");
  const auto no_realm = parse_challenges("Bearer service=x, Basic realm=y");
  REQUIRE(no_realm.size() == 2);
  CHECK(choose_challenge(no_realm) == &no_realm[1]);
  CHECK(choose_challenge({}) == nullptr);
  CHECK(choose_challenge(parse_challenges("Digest realm=x")) == nullptr);
}
