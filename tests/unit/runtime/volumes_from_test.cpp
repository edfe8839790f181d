#include "runtime/volumes_from.hpp"

#include <catch2/catch.hpp>

#include "runtime/mount_options.hpp"

using sbx::runtime::has_word;
using sbx::runtime::mounts_to_pass_on;

namespace {

sbx::oci::RuntimeSpec spec() {
  sbx::oci::RuntimeSpec out;
  out.mounts = {{"/proc", "proc", "proc", {}},
                {"/etc/hosts", "bind", "/c/etc/hosts", {"bind"}},
                {"/bound", "bind", "/src", {"rbind", "sbx.create", "sbx.user"}},
                {"/data", "volume", "x", {"rbind", "ro", "sbx.anonymous", "sbx.user"}},
                {"/fast", "tmpfs", "tmpfs", {"sbx.user"}}};
  return out;
}

}  // namespace

TEST_CASE("binds and volumes are passed on, and nothing else") {
  const auto mounts = mounts_to_pass_on(spec(), std::nullopt);
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].destination == "/bound");
  CHECK_FALSE(has_word(mounts[0], "ro"));
  CHECK(mounts[1].source == "x");
  CHECK(has_word(mounts[1], "ro"));
  CHECK_FALSE(has_word(mounts[1], "sbx.anonymous"));  // or it would go with two containers
}

TEST_CASE("read-only or writable, as asked") {
  CHECK(has_word(mounts_to_pass_on(spec(), true)[0], "ro"));
  CHECK_FALSE(has_word(mounts_to_pass_on(spec(), false)[1], "ro"));
}
