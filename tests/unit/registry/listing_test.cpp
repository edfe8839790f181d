#include "registry/listing.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("what may be a tag") {
  CHECK(is_tag("latest"));
  CHECK(is_tag("_1.0-rc.1"));
  CHECK(is_tag(std::string(128, 'a')));
  for (const std::string text : {"", ".a", "-a", "a/b", "a b", "a:b", "\x1b", "é"}) {
    CAPTURE(text);
    CHECK(!is_tag(text));
  }
  CHECK(!is_tag(std::string(129, 'a')));
}

TEST_CASE("a page of tags") {
  CHECK(parse_tags(R"({"name":"a","tags":["x","y"]})", "r").value() ==
        std::vector<std::string>{"x", "y"});
  CHECK(parse_tags(R"({"name":"a","tags":null})", "r").value().empty());
  CHECK(parse_tags("{}", "r").value().empty());
  for (const char* json : {"", "[]", "1", R"({"tags":"x"})", R"({"tags":[1]})",
                           R"({"tags":["a/b"]})", R"({"tags":[""]})"}) {
    CAPTURE(json);
    CHECK(!parse_tags(json, "r"));
  }
}

TEST_CASE("a page of a catalog") {
  CHECK(parse_catalog(R"({"repositories":["a/b"]})", "r").value() ==
        std::vector<std::string>{"a/b"});
  CHECK(parse_catalog(R"({"repositories":null})", "r").value().empty());
  CHECK(!parse_catalog(R"({"repositories":[["a"]]})", "r"));
  CHECK(!parse_catalog(R"({"repositories":[")" + std::string(600, 'a') + "\"]}", "r"));
}

TEST_CASE("search results") {
  const SearchResults some =
      parse_search(
          R"({"num_results":7,"results":[{"name":"busybox","description":"x","star_count":3,)"
          R"("is_official":true},{"name":"a/b","description":null}]})",
          "r")
          .value();
  REQUIRE(some.found.size() == 2);
  CHECK(some.found[0].name == "busybox");
  CHECK(some.found[0].stars == 3);
  CHECK(some.found[0].official);
  CHECK(some.found[1].description.empty());
  CHECK(!some.complete);
  CHECK(parse_search(R"({"num_results":0,"results":[]})", "r").value().complete);
  CHECK(parse_search(
            R"({"results":[{"name":"a","description":")" + std::string(9000, 'd') + "\"}]}", "r")
            .value()
            .found[0]
            .description.size() == 4096);
  for (const char* json :
       {"", "[]", R"({"results":{}})", R"({"results":[1]})", R"({"results":[{}]})",
        R"({"results":[{"name":1}]})", R"({"results":[{"name":"a","star_count":"many"}]})"}) {
    CAPTURE(json);
    CHECK(!parse_search(json, "r"));
  }
}
