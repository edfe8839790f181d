#include "overlay/core/override_stat.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <catch2/catch.hpp>

namespace sbx::overlay {

TEST_CASE("an override mark comes back as it was written", "[override_stat]") {
  const OverrideStat stats[] = {
      {{0, 0}, 0755, 0, 0},
      {{1000, 65534}, 06711, 0, 0},
      {{3, 4}, 0777, S_IFLNK, 0},
      {{0, 0}, 0600, S_IFIFO, 0},
      {{0, 0}, 0600, S_IFSOCK, 0},
      {{0, 6}, 0660, S_IFBLK, makedev(8, 17)},
      {{0, 0}, 0666, S_IFCHR, makedev(0, 0)},
      {{0xffffffff, 0xfffffffe}, 0, S_IFCHR, makedev(4095, 1048575)},
  };
  for (const OverrideStat& stat : stats) {
    CAPTURE(stat.format());
    CHECK(OverrideStat::parse(stat.format()) == stat);
  }
  CHECK(stats[1].format() == "1000:65534:06711");
  CHECK(stats[5].format() == "0:6:0660:block-8-17");
}

TEST_CASE("what other tools write is understood", "[override_stat]") {
  CHECK(OverrideStat::parse("0:0:755") == OverrideStat{{0, 0}, 0755, 0, 0});
  CHECK(OverrideStat::parse("1:2:0100644") == OverrideStat{{1, 2}, 0644, 0, 0});
  CHECK(OverrideStat::parse("1:2:0644:file") == OverrideStat{{1, 2}, 0644, S_IFREG, 0});
  CHECK(OverrideStat::parse("1:2:0755:dir") == OverrideStat{{1, 2}, 0755, S_IFDIR, 0});
}

TEST_CASE("what is no override mark is refused", "[override_stat]") {
  for (const char* text : {"", "0", "0:0", "0:0:", "0:0:9", "-1:0:0644", "0:4294967296:0644",
                           "0:0:0644:", "0:0:0644:door", "0:0:0644:char-1", "0:0:0644:char-1-",
                           "0:0:0644:char-1-2-3", "0:0:0644 ", " 0:0:0644"}) {
    CAPTURE(text);
    CHECK_FALSE(OverrideStat::parse(text).has_value());
  }
}

}  // namespace sbx::overlay
