#include "sys/file_identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

using namespace sbx::sys;

TEST_CASE("the identity of a file tells another file, and that one has changed") {
  const TemporaryDir dir;
  const Fd root = open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY).value();
  REQUIRE(write_file_at(root.get(), "a", "a", 0600, Durability::kCached));
  REQUIRE(write_file_at(root.get(), "b", "a", 0600, Durability::kCached));
  const auto identity = [&](const char* name) {
    return identity_of(open_at(root.get(), name, O_PATH).value().get(), name).value();
  };
  const std::string before = identity("a");
  CHECK(identity("a") == before);
  CHECK(identity("b") != before);
  ::usleep(20'000);  // a kernel's clock for files ticks every 4 to 10 ms
  REQUIRE(::chmod((dir.path + "/a").c_str(), 0400) == 0);
  CHECK(identity("a") != before);
}
