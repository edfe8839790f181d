#include "overlay/core/id_view.hpp"

#include <catch2/catch.hpp>

namespace sbx::overlay {

TEST_CASE("a full view serves mapped ids and the overflow id for the rest", "[id_view]") {
  const IdView view = IdView::full({{0, 1}, {1000, 10}}, {{0, 100}});
  CHECK(view.served({0, 99}) == Owner{0, 99});
  CHECK(view.served({1009, 100}) == Owner{1009, IdView::kOverflow});
  CHECK(view.served({1010, 0}) == Owner{IdView::kOverflow, 0});
  CHECK(view.served({0xffffffff, 0}) == Owner{IdView::kOverflow, 0});
  CHECK(view.from_lower({5, 6}) == Owner{5, 6});
}

TEST_CASE("a squashed view serves one owner", "[id_view]") {
  const IdView view = IdView::squash({1000, 100});
  CHECK(view.squashes());
  CHECK(view.served({0, 7}) == Owner{1000, 100});
  CHECK(view.from_lower({33, 33}) == Owner{33, 33});
}

TEST_CASE("who an ACL names is served if the sandbox has that id", "[id_view]") {
  const IdView view = IdView::full({{0, 1}, {1000, 10}}, {{0, 100}});
  CHECK(view.find_served_uid(1009) == 1009U);
  CHECK_FALSE(view.find_served_uid(1010));
  CHECK(view.find_served_gid(99) == 99U);
  CHECK_FALSE(view.find_served_gid(IdView::kOverflow));
  CHECK(IdView::squash({5, 6}).find_served_uid(5) == 5U);
  CHECK_FALSE(IdView::squash({5, 6}).find_served_gid(5));
  CHECK(IdView::mapped({}).find_served_uid(70000) == 70000U);
  const IdView moved = IdView::mapped({{{100, 0, 10}}, {{100, 0, 10}}, {}, 7});
  CHECK(moved.find_served_uid(105) == 5U);
  CHECK_FALSE(moved.find_served_uid(5));
  CHECK_FALSE(moved.find_served_gid(105));
}

TEST_CASE("in the host's view the invoking user is the sandbox's user", "[id_view]") {
  const IdView view = IdView::host({{0, 65536}}, {{0, 65536}}, {1000, 0}, {1000, 0});
  CHECK(view.from_lower({1000, 1000}) == Owner{0, 0});
  CHECK(view.from_lower({0, 4}) == Owner{0, 4});
  CHECK_FALSE(view.squashes());
}

}  // namespace sbx::overlay
