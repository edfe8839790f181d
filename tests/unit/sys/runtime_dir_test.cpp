#include "sys/runtime_dir.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

using namespace sbx::sys;

TEST_CASE("the runtime directory is ours alone, or not used") {
  const TemporaryDir place;
  ::setenv("XDG_RUNTIME_DIR", place.path.c_str(), 1);
  const Fd dir = open_runtime_dir(::getuid()).value();
  CHECK(exists_at(AT_FDCWD, place.path + "/sbx"));
  CHECK((stat_fd(dir.get(), "sbx").value().st_mode & 07777) == 0700);
  CHECK(open_runtime_dir(::getuid()).has_value());
  REQUIRE(::chmod((place.path + "/sbx").c_str(), 0750) == 0);
  CHECK(open_runtime_dir(::getuid()).error().code == sbx::ErrorCode::kDenied);
  REQUIRE(::rmdir((place.path + "/sbx").c_str()) == 0);
  REQUIRE(::symlink("/tmp", (place.path + "/sbx").c_str()) == 0);
  CHECK_FALSE(open_runtime_dir(::getuid()).has_value());
  ::unsetenv("XDG_RUNTIME_DIR");
}
