#include "sys/xdg.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace sbx::sys;

TEST_CASE("the data directory follows SBX_ROOT, XDG_DATA_HOME and home, in this order") {
  Invoker who;
  who.home = "/home/ann";
  ::unsetenv("SBX_ROOT");
  ::unsetenv("XDG_DATA_HOME");
  CHECK(data_root(who).value() == "/home/ann/.local/share/sbx");
  ::setenv("XDG_DATA_HOME", "relative", 1);
  CHECK(data_root(who).value() == "/home/ann/.local/share/sbx");
  ::setenv("XDG_DATA_HOME", "/data", 1);
  CHECK(data_root(who).value() == "/data/sbx");
  ::setenv("SBX_ROOT", "/root-of-sbx", 1);
  CHECK(data_root(who).value() == "/root-of-sbx");
  ::unsetenv("SBX_ROOT");
  ::unsetenv("XDG_DATA_HOME");
  who.home.clear();
  CHECK(data_root(who).error().code == sbx::ErrorCode::kNotFound);
}

TEST_CASE("the invoker is who we are") {
  const Invoker who = invoker();
  CHECK(who.uid == ::getuid());
  CHECK(who.gid == ::getgid());
  CHECK_FALSE(who.name.empty());
}

TEST_CASE("random ids have the length asked for and differ") {
  const std::string one = random_hex(32).value();
  CHECK(one.size() == 64);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(one != random_hex(32).value());
}

TEST_CASE("a relative path is meant from the current directory, an absolute one stands") {
  CHECK(absolute_path("/a/../b").value() == "/a/../b");
  CHECK(absolute_path("a").value() == current_directory().value() + "/a");
}
