#include "runtime/image_share_key.hpp"

#include <catch2/catch.hpp>

using namespace sbx::runtime;
using sbx::sys::IdExtent;

namespace {

ShareFacts facts() {
  ShareFacts out;
  out.program = "1:2:3.000000004";
  out.image = "sha256:aa 1:5:6.000000000";
  out.maps = {{{0, 1000, 1}, {1, 100000, 65536}}, {{0, 1000, 1}, {1, 100000, 65536}}};
  out.cgroup = "0::/user.slice/session-1.scope\n";
  out.limits = {100, 200, 300, 400};
  return out;
}

template <class Change>
bool matters(Change change) {
  ShareFacts other = facts();
  change(other);
  return share_key(other) != share_key(facts());
}

}  // namespace

TEST_CASE("containers share a mount only if everything about it is equal") {
  CHECK_FALSE(matters([](ShareFacts&) {}));
  CHECK(matters([](ShareFacts& f) { f.program += "1"; }));
  CHECK(matters([](ShareFacts& f) { f.stores = "/elsewhere"; }));
  CHECK(matters([](ShareFacts& f) { f.image = "sha256:ab 1:5:6.000000000"; }));
  CHECK(matters([](ShareFacts& f) { f.acls = true; }));
  CHECK(matters([](ShareFacts& f) { f.maps.uids[1].count = 65535; }));
  CHECK(matters([](ShareFacts& f) { f.maps.uids[0].inside = 7; }));
  CHECK(matters([](ShareFacts& f) { f.maps.gids[0].outside = 7; }));
  CHECK(matters([](ShareFacts& f) { f.cgroup = "0::/user.slice/session-2.scope\n"; }));
  CHECK(matters([](ShareFacts& f) { f.limits[3] = 500; }));
}

TEST_CASE("the name of a key is a short file name") {
  // The check value of FNV-1a for "foobar".
  CHECK(share_name("foobar") == "image-85944171f73967e8");
  CHECK(share_name("") == "image-cbf29ce484222325");
}

TEST_CASE("the tasks of one step of Slurm end together, others not") {
  CHECK(cgroup_that_ends("0::/slurm/job_7/step_0/user/task_12\n") ==
        "0::/slurm/job_7/step_0/user\n");
  CHECK(cgroup_that_ends("9:cpu:/slurm/job_7/step_0/task_1\n4:freezer:/slurm/job_7/step_0\n") ==
        "9:cpu:/slurm/job_7/step_0\n4:freezer:/slurm/job_7/step_0\n");
  for (const char* text :
       {"0::/\n", "0::/a/task_\n", "0::/a/task_1b\n", "0::/a/my.service\n", "task_1\n"}) {
    CHECK(cgroup_that_ends(text) == text);
  }
}

TEST_CASE("an id is called the same in the inner user namespace") {
  const sbx::sys::IdMaps inside =
      inside_maps({{{0, 100000, 1000}, {1000, 1000, 1}, {1001, 101000, 64536}}, {{0, 5, 1}}});
  CHECK(inside.uids == std::vector<IdExtent>{{0, 0, 1000}, {1000, 1000, 1}, {1001, 1001, 64536}});
  CHECK(inside.gids == std::vector<IdExtent>{{0, 0, 1}});
}
