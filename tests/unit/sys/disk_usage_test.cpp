#include "sys/disk_usage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "sys/file.hpp"

using sbx::sys::disk_usage;

TEST_CASE("links count once, symlinks lead nowhere, absent is nothing") {
  std::string dir = "/tmp/sbx-usage-test-XXXXXX";
  REQUIRE(::mkdtemp(dir.data()) != nullptr);
  const std::uint64_t empty = disk_usage(dir).value();
  REQUIRE(sbx::sys::make_dirs(dir + "/a/b", 0700));
  REQUIRE(sbx::sys::write_file_at(AT_FDCWD, dir + "/a/b/file", std::string(1U << 20U, 'x'), 0600,
                                  sbx::sys::Durability::kSynced));
  const std::uint64_t one = disk_usage(dir).value();
  CHECK(one >= empty + (1U << 20U));
  CHECK(one < empty + (2U << 20U));
  REQUIRE(::link((dir + "/a/b/file").c_str(), (dir + "/a/link").c_str()) == 0);
  REQUIRE(::symlink("/usr", (dir + "/a/usr").c_str()) == 0);
  CHECK(disk_usage(dir).value() < one + 65536);
  CHECK(disk_usage(dir + "/none").value() == 0);
  REQUIRE(sbx::sys::remove_tree_at(AT_FDCWD, dir));
}
