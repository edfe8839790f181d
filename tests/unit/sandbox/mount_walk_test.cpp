#include "sandbox/mount_walk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "sys/file.hpp"

using sbx::sandbox::find_target;
using sbx::sandbox::open_target;
using sbx::sandbox::TargetKind;
namespace fs = std::filesystem;

namespace {

struct Tree {
  std::string path = (fs::temp_directory_path() / "sbx-walk-XXXXXX").string();
  sbx::sys::Fd root;
  Tree() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    root = sbx::sys::open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY).value();
  }
  ~Tree() { fs::remove_all(path); }
  [[nodiscard]] long open(const char* target, TargetKind kind, bool follow = false) const {
    const long fd = open_target(root.get(), target, kind, follow);
    const sbx::sys::Fd closed(static_cast<int>(fd));
    return fd < 0 ? fd : 0;
  }
};

}  // namespace

TEST_CASE("missing parents become directories, the last name what is asked for") {
  const Tree tree;
  CHECK(tree.open("/a/b/c", TargetKind::kFile) == 0);
  CHECK(fs::is_regular_file(tree.path + "/a/b/c"));
  CHECK(tree.open("/a/b/d/", TargetKind::kDirectory) == 0);
  CHECK(fs::is_directory(tree.path + "/a/b/d"));
  CHECK(tree.open("/", TargetKind::kDirectory) == 0);
}

TEST_CASE("a link is refused unless it may be followed, and then stays inside") {
  const Tree tree;
  fs::create_directory(tree.path + "/real");
  fs::create_symlink("/real", tree.path + "/inside");
  fs::create_symlink("../../../../..", tree.path + "/outside");
  CHECK(tree.open("/inside/x", TargetKind::kDirectory) == -ELOOP);
  CHECK(tree.open("/inside/x", TargetKind::kDirectory, true) == 0);
  CHECK(fs::is_directory(tree.path + "/real/x"));
  CHECK(tree.open("/outside/sbx-walk-never", TargetKind::kDirectory, true) == 0);
  CHECK(fs::is_directory(tree.path + "/sbx-walk-never"));
  CHECK_FALSE(fs::exists("/sbx-walk-never"));
}

TEST_CASE("a file where a directory must be is an error") {
  const Tree tree;
  CHECK(tree.open("/file", TargetKind::kFile) == 0);
  CHECK(tree.open("/file/below", TargetKind::kDirectory) == -ENOTDIR);
}

TEST_CASE("finding makes nothing, and a path that is too long is refused") {
  const Tree tree;
  CHECK(find_target(tree.root.get(), "/absent", false) == -ENOENT);
  CHECK_FALSE(fs::exists(tree.path + "/absent"));
  CHECK(find_target(tree.root.get(), std::string(5000, 'x').c_str(), false) == -ENAMETOOLONG);
}
