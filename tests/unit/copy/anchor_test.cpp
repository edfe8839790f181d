#include "copy/anchor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::copy::Anchor;
using sbx::copy::base_name;
using sbx::copy::find_place;
using sbx::copy::names_directory;
namespace fs = std::filesystem;

TEST_CASE("the last name of a path") {
  CHECK(base_name("a/b") == "b");
  CHECK(base_name("/a/b//") == "b");
  CHECK(base_name("a/.") == ".");
  CHECK(base_name("/") == ".");
  CHECK(base_name("a/..") == ".");
  CHECK(base_name("a") == "a");
}

TEST_CASE("paths that mean a directory") {
  CHECK(names_directory("a/"));
  CHECK(names_directory("a/."));
  CHECK(names_directory(".."));
  CHECK(!names_directory("a"));
  CHECK(!names_directory("a/.b"));
}

TEST_CASE("a place is found through links, and never outside of the tree") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  fs::create_directories(top + "/root/dir");
  std::ofstream(top + "/secret") << "host";
  std::ofstream(top + "/root/dir/file") << "inside";
  fs::create_symlink("/dir/file", top + "/root/absolute");
  fs::create_symlink("../../../dir/file", top + "/root/dir/climbing");
  fs::create_symlink(top + "/secret", top + "/root/out");
  fs::create_symlink("nothing", top + "/root/dir/dangling");
  fs::create_symlink("loop", top + "/root/loop");
  const Anchor tree =
      Anchor::tree(sbx::sys::open_at(AT_FDCWD, top + "/root", O_PATH | O_DIRECTORY).value());

  for (const char* path : {"absolute", "/absolute", "dir/climbing", "dir/../../../dir/file"}) {
    INFO(path);
    const auto place = find_place(tree, path);
    REQUIRE(place);
    CHECK(place->name == "file");
    CHECK(place->found);
  }
  const auto dangling = find_place(tree, "dir/dangling");
  REQUIRE(dangling);
  CHECK(dangling->name == "nothing");
  CHECK(!dangling->found);
  CHECK(find_place(tree, "out").error().sys_errno == ENOENT);  // the tree has no such directory
  CHECK(find_place(tree, "loop").error().sys_errno == ELOOP);
  CHECK(find_place(tree, "missing/file").error().sys_errno == ENOENT);
  CHECK(find_place(tree, "dir/new").value().name == "new");
  CHECK(!find_place(tree, "/"));
  CHECK(find_place(Anchor::host(), top + "/secret").value().found);
}
