#include "runtime/tree_owner.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::runtime::give_tree;
namespace fs = std::filesystem;

TEST_CASE("what has the owner already is left alone") {
  const TemporaryDir root;
  fs::create_directories(root.path + "/sub");
  std::ofstream(root.path + "/sub/program") << "x";
  fs::create_symlink("/etc/passwd", root.path + "/sub/link");
  REQUIRE(::chmod((root.path + "/sub/program").c_str(), 04755) == 0);
  const auto top = sbx::sys::open_at(AT_FDCWD, root.path, O_RDONLY | O_DIRECTORY).value();
  REQUIRE(give_tree(top.get(), ::geteuid(), ::getegid()));
  struct stat st {};
  REQUIRE(::stat((root.path + "/sub/program").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 04755);
}

TEST_CASE("what cannot be given away is named") {
  if (::geteuid() == 0) {
    return;  // root can
  }
  const TemporaryDir root;
  const auto top = sbx::sys::open_at(AT_FDCWD, root.path, O_RDONLY | O_DIRECTORY).value();
  const auto given = give_tree(top.get(), 0, 0);
  REQUIRE_FALSE(given);
  CHECK(given.error().sys_errno == EPERM);
}
