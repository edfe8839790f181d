#include "runtime/squash_source.hpp"

#include <catch2/catch.hpp>

namespace sbx::runtime::test {

TEST_CASE("files are told from names of images", "[squash_source]") {
  for (const char* file :
       {"x.sif", "./dir/x.sqsh", "/a/b.squashfs", "sif:anything", "sqsh:x:y", "a:b.sif"}) {
    CHECK(is_squash_source(file));
  }
  for (const char* name :
       {"busybox", "docker://host/x.sif", "host", "dir:x", "x.sif.img", "sif", "x.sqsh:latest"}) {
    CHECK(!is_squash_source(name));
  }
  CHECK((is_sif_name("a.sif") && is_sif_name("sif:b") && !is_sif_name("a.sqsh")));
}

}  // namespace sbx::runtime::test
