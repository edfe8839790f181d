#include "registry/link_header.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("the next page") {
  CHECK(next_link("</v2/_catalog?last=a&n=10>; rel=\"next\"") == "/v2/_catalog?last=a&n=10");
  CHECK(next_link("<a>;rel=next") == "a");
  CHECK(next_link("  <a> ; title=\"x, y; rel=next\" ; REL = \"Next\"") == "a");
  CHECK(next_link("<a>; rel=\"prev\", <b>; rel=\"next\"") == "b");
  CHECK(next_link("<a,b>; rel=next") == "a,b");
}

TEST_CASE("no next page") {
  for (const char* text :
       {"", "a", "<a>", "<a>; rel=\"prev\"", "<>; rel=next", "<a; rel=next", "<a> rel=next",
        "<a>; title=\"rel=next\"", "<a>; rel", "<a>; rel=\"next", "junk <a>; rel=next"}) {
    CAPTURE(text);
    CHECK(!next_link(text));
  }
}

TEST_CASE("a Link header that is too much is not read to its end") {
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += "<a>; rel=prev, ";
  }
  CHECK(!next_link(many + "<b>; rel=next"));
  CHECK(!next_link("<" + std::string(9000, 'a') + ">; rel=next"));
}
