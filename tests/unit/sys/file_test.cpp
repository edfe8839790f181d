#include "sys/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "sys/channel.hpp"
#include "temporary_dir.hpp"

using namespace sbx;
using namespace sbx::sys;
namespace fs = std::filesystem;

namespace {

Fd open_dir(const std::string& path) {
  return open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY).value();
}

}  // namespace

TEST_CASE("a path below a directory cannot lead out of it") {
  const TemporaryDir dir;
  fs::create_directory(dir.path + "/in");
  std::ofstream(dir.path + "/in/file") << "x";
  fs::create_symlink("in/file", dir.path + "/link");
  fs::create_symlink("/etc/passwd", dir.path + "/absolute");
  const Fd root = open_dir(dir.path);
  CHECK(open_beneath(root.get(), "in/file", O_RDONLY));
  CHECK(open_beneath(root.get(), "link", O_RDONLY).error().sys_errno == ELOOP);
  CHECK(open_beneath(root.get(), "../" + fs::path(dir.path).filename().string(), O_RDONLY)
            .error()
            .sys_errno == EXDEV);
  CHECK(open_beneath(root.get(), "/etc/passwd", O_RDONLY).error().sys_errno == EXDEV);
  CHECK(open_in_root(root.get(), "link", O_RDONLY));
  CHECK(open_in_root(root.get(), "absolute", O_RDONLY).error().sys_errno == ENOENT);
  CHECK(open_in_root(root.get(), "../../in/file", O_RDONLY));
}

TEST_CASE("writing a file is all or nothing") {
  const TemporaryDir dir;
  const Fd root = open_dir(dir.path);
  REQUIRE(write_file_at(root.get(), "f", "old", 0600, Durability::kSynced));
  REQUIRE(write_file_at(root.get(), "f", "new text", 0600, Durability::kCached));
  CHECK(read_file_at(root.get(), "f", 100).value() == "new text");
  CHECK(list_dir(root.get(), ".").value().size() == 1);
  fs::create_directory(dir.path + "/d");
  std::ofstream(dir.path + "/d/x") << "x";
  CHECK_FALSE(write_file_at(root.get(), "d", "over a directory", 0600, Durability::kCached));
  CHECK(list_dir(root.get(), ".").value().size() == 2);
}

TEST_CASE("reading is bounded, and only of regular files") {
  const TemporaryDir dir;
  const Fd root = open_dir(dir.path);
  REQUIRE(write_file_at(root.get(), "f", std::string(100, 'x'), 0600, Durability::kCached));
  CHECK(read_file_at(root.get(), "f", 100).value().size() == 100);
  CHECK(read_file_at(root.get(), "f", 99).error().code == ErrorCode::kLimit);
  REQUIRE(::mkfifo((dir.path + "/fifo").c_str(), 0600) == 0);
  CHECK(read_file_at(root.get(), "fifo", 10).error().code == ErrorCode::kInvalidArgument);
  CHECK(read_file_at(root.get(), "absent", 10).error().code == ErrorCode::kNotFound);
}

TEST_CASE("removing a tree follows no link and opens closed directories") {
  const TemporaryDir dir;
  const TemporaryDir outside;
  std::ofstream(outside.path + "/precious") << "x";
  const Fd root = open_dir(dir.path);
  fs::create_directories(dir.path + "/t/a/b");
  std::ofstream(dir.path + "/t/a/b/f") << "x";
  fs::create_directory_symlink(outside.path, dir.path + "/t/link");
  REQUIRE(::chmod((dir.path + "/t/a").c_str(), 0) == 0);
  REQUIRE(remove_tree_at(root.get(), "t"));
  CHECK_FALSE(fs::exists(dir.path + "/t"));
  CHECK(fs::exists(outside.path + "/precious"));
  CHECK(remove_tree_at(root.get(), "t"));
}

TEST_CASE("directories are made with their parents, and may be there already") {
  const TemporaryDir dir;
  REQUIRE(make_dirs(dir.path + "/x/y/z", 0700));
  REQUIRE(make_dirs(dir.path + "/x/y/z", 0700));
  CHECK(fs::is_directory(dir.path + "/x/y/z"));
  std::ofstream(dir.path + "/file") << "x";
  CHECK_FALSE(make_dirs(dir.path + "/file/below", 0700));
}

TEST_CASE("a pipe is read to its end across short reads") {
  Pipe pipe = make_pipe().value();
  REQUIRE(::write(pipe.writer.get(), "abc", 3) == 3);
  REQUIRE(::write(pipe.writer.get(), "def", 3) == 3);
  pipe.writer.reset();
  CHECK(read_fd(pipe.reader.get(), 100, "pipe").value() == "abcdef");
}

TEST_CASE("renaming can refuse to replace") {
  const TemporaryDir dir;
  const Fd root = open_dir(dir.path);
  REQUIRE(write_file_at(root.get(), "a", "a", 0600, Durability::kCached));
  REQUIRE(write_file_at(root.get(), "b", "b", 0600, Durability::kCached));
  CHECK(rename_at(root.get(), "a", root.get(), "b", RENAME_NOREPLACE).error().code ==
        ErrorCode::kAlreadyExists);
  CHECK(rename_at(root.get(), "a", root.get(), "c"));
  CHECK_FALSE(exists_at(root.get(), "a"));
  REQUIRE(symlink_at("c", root.get(), "l"));
  CHECK(read_link_at(root.get(), "l").value() == "c");
}
