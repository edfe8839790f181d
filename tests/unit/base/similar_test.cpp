#include "base/similar.hpp"

#include <catch2/catch.hpp>

using sbx::most_similar;

TEST_CASE("a slip is understood, another word is not") {
  const std::vector<std::string_view> known{"run", "rmi", "images", "inspect"};
  CHECK(most_similar("imges", known) == "images");
  CHECK(most_similar("runn", known) == "run");
  CHECK(most_similar("inspekt", known) == "inspect");
  CHECK(most_similar("compose", known).empty());
  CHECK(most_similar("", known).empty());
}
