#include "registry/environment.hpp"

#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

TEST_CASE("the environment of a process: relative XDG values do not count") {
  const auto set = [](const char* name, const char* value) {
    REQUIRE(::setenv(name, value, 1) == 0);
  };
  sys::Invoker who;
  who.uid = 7;
  who.home = "/home/u";
  set("XDG_CONFIG_HOME", "/c");
  set("XDG_CACHE_HOME", "relative");
  set("XDG_RUNTIME_DIR", "also/relative");
  set("REGISTRY_AUTH_FILE", "auth.json");
  set("PATH", "/a::b:/c d:/e");
  const Environment env = Environment::of_process(who);
  CHECK(env.uid == 7);
  CHECK(env.config_home == "/c");
  CHECK(env.cache_home == "/home/u/.cache");
  CHECK(env.runtime_dir.empty());
  CHECK(env.auth_file == "auth.json");
  CHECK(env.path == std::vector<std::string>{"/a", "/c d", "/e"});
  CHECK(env.system("/etc/x") == "/etc/x");
  who.home.clear();
  CHECK(Environment::of_process(who).cache_home.empty());
}

TEST_CASE("files are read if they are there, and no more of them than allowed") {
  const ConfigFixture f;
  CHECK_FALSE(*read_if_there(f.path("/etc/x"), 10));
  const std::string file = f.write("/etc/x", "0123456789");
  CHECK(**read_if_there(file, 10) == "0123456789");
  CHECK(read_if_there(file, 9).error().code == ErrorCode::kLimit);
  CHECK_FALSE(*read_if_there(file + "/below-a-file", 9));
  CHECK_FALSE(read_if_there(f.path("/etc"), 9));
}

TEST_CASE("a folder's files are listed by name, links followed") {
  const ConfigFixture f;
  CHECK(list_files(f.path("/etc/d"), ".conf")->empty());
  f.write("/etc/d/b.conf", "");
  f.write("/etc/d/a.conf", "");
  f.write("/etc/d/c.txt", "");
  f.write("/etc/d/e.conf/inside.conf", "");
  std::filesystem::create_symlink("b.conf", f.path("/etc/d/d.conf"));
  std::filesystem::create_symlink("nowhere", f.path("/etc/d/f.conf"));
  std::filesystem::create_symlink("/dev/null", f.path("/etc/d/g.conf"));
  CHECK(*list_files(f.path("/etc/d"), ".conf") ==
        std::vector<std::string>{"a.conf", "b.conf", "d.conf"});
}
