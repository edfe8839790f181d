#include "runtime/tree_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "overlay/core/lower_dir.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::overlay::Lower;
using sbx::overlay::LowerDir;
using sbx::runtime::CopiedOwners;
using sbx::runtime::copy_tree;
using sbx::runtime::find_directory;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<Lower> tree_at(const std::string& path) {
  return LowerDir::make(sbx::sys::open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY).value(), {})
      .value();
}

sbx::Result<void> copy(Lower& tree, const std::string& from, const std::string& to) {
  const auto found = find_directory(tree, from);
  REQUIRE(found);
  const auto target = sbx::sys::open_at(AT_FDCWD, to, O_RDONLY | O_DIRECTORY).value();
  return copy_tree(tree, found->ref(), target.get(), CopiedOwners::kOurs);
}

std::string text_of(const std::string& path) {
  return sbx::sys::read_file_at(AT_FDCWD, path, 1000).value_or("(none)");
}

}  // namespace

TEST_CASE("all kinds of files are copied, with links, modes and times") {
  const TemporaryDir from;
  const TemporaryDir to;
  const std::string source = from.path + "/data";
  fs::create_directories(source + "/sub/deep");
  std::ofstream(source + "/sub/file") << "hello";
  fs::create_hard_link(source + "/sub/file", source + "/second");
  fs::create_symlink("/sub/file", source + "/link");
  REQUIRE(::mkfifo((source + "/fifo").c_str(), 0600) == 0);
  REQUIRE(::truncate((source + "/sub/file").c_str(), 1 << 20) == 0);
  REQUIRE(::chmod((source + "/sub/file").c_str(), 04751) == 0);
  REQUIRE(::chmod((source + "/sub").c_str(), 01777) == 0);
  REQUIRE(::chmod(source.c_str(), 0710) == 0);
  const timespec times[2] = {{1000, 0}, {1000, 5}};
  REQUIRE(::utimensat(AT_FDCWD, (source + "/sub").c_str(), times, 0) == 0);
  const auto tree = tree_at(from.path);
  REQUIRE(copy(*tree, "/data", to.path));
  struct stat st {};
  REQUIRE(::stat((to.path + "/sub/file").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 04751);
  CHECK(st.st_nlink == 2);
  CHECK(st.st_size == 1 << 20);
  CHECK(st.st_blocks * 512 < 1 << 20);  // the hole is one
  CHECK(fs::equivalent(to.path + "/second", to.path + "/sub/file"));
  CHECK(fs::read_symlink(to.path + "/link") == "/sub/file");
  CHECK(fs::is_fifo(to.path + "/fifo"));
  CHECK(fs::is_directory(to.path + "/sub/deep"));
  REQUIRE(::stat((to.path + "/sub").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 01777);
  CHECK(st.st_mtim.tv_sec == 1000);
  CHECK(st.st_mtim.tv_nsec == 5);
  REQUIRE(::stat(to.path.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0710);
}

TEST_CASE("attributes of the user are copied") {
  const TemporaryDir from;
  const TemporaryDir to;
  std::ofstream(from.path + "/file") << "x";
  {
    const auto file = sbx::sys::open_at(AT_FDCWD, from.path + "/file", O_RDWR).value();
    const std::string value = "red";
    if (!sbx::sys::at::set_xattr(file.get(), "user.color",
                                 std::as_bytes(std::span(value.data(), value.size())))) {
      WARN("no extended attributes here");
      return;
    }
  }
  const auto tree = tree_at(from.path);
  REQUIRE(copy(*tree, "/", to.path));
  const auto file = sbx::sys::open_at(AT_FDCWD, to.path + "/file", O_RDONLY).value();
  std::string value(3, ' ');
  CHECK(sbx::sys::at::get_xattr(file.get(), "user.color",
                                std::as_writable_bytes(std::span(value.data(), value.size())))
            .value() == 3);
  CHECK(value == "red");
}

TEST_CASE("links on the way to a directory stay in the tree") {
  const TemporaryDir from;
  fs::create_directories(from.path + "/real/inner");
  std::ofstream(from.path + "/real/inner/file") << "inside";
  fs::create_symlink("/real", from.path + "/absolute");
  fs::create_symlink("../../../../real/inner", from.path + "/climbing");
  fs::create_symlink("loop", from.path + "/loop");
  fs::create_symlink("/etc", from.path + "/host");
  const auto tree = tree_at(from.path);
  for (const char* path : {"/absolute/inner", "/climbing", "absolute/../real/./inner/"}) {
    CAPTURE(path);
    const TemporaryDir to;
    REQUIRE(copy(*tree, path, to.path));
    CHECK(text_of(to.path + "/file") == "inside");
  }
  CHECK(find_directory(*tree, "/loop").error().value() == ELOOP);
  CHECK(find_directory(*tree, "/host").error().value() == ENOENT);
  CHECK(find_directory(*tree, "/absent").error().value() == ENOENT);
  CHECK(find_directory(*tree, "/real/inner/file").error().value() == ENOTDIR);
}

TEST_CASE("a tree that is deeper than anybody nests is refused") {
  const TemporaryDir from;
  const TemporaryDir to;
  std::string path = from.path;
  for (int i = 0; i < 600; ++i) {
    path += "/d";
    REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  }
  const auto tree = tree_at(from.path);
  CHECK(copy(*tree, "/", to.path).error().code == sbx::ErrorCode::kLimit);
}
