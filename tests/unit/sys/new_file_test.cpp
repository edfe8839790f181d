#include "sys/new_file.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "sys/file.hpp"

using sbx::ErrorCode;
using sbx::sys::NewFile;
using Kind = sbx::sys::NewFile::Kind;

namespace {

class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() { (void)sbx::sys::remove_tree_at(AT_FDCWD, path_).has_value(); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::size_t entries() const {
    return sbx::sys::list_dir(AT_FDCWD, path_).value().size();
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return sbx::sys::read_file_at(AT_FDCWD, path_ + "/" + name, 100).value();
  }

 private:
  std::string path_ = "/tmp/sbx-new-file-XXXXXX";
};

}  // namespace

TEST_CASE("a file appears when it is complete") {
  const Folder folder;
  auto file = NewFile::create(folder / "x", Kind::kFile);
  REQUIRE(file);
  REQUIRE(sbx::sys::write_full(file->fd(), "new", "x"));
  CHECK_FALSE(sbx::sys::exists_at(AT_FDCWD, folder / "x"));
  REQUIRE(file->commit());
  CHECK(folder.text("x") == "new");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file that is not completed never was") {
  const Folder folder;
  REQUIRE(
      sbx::sys::write_file_at(AT_FDCWD, folder / "x", "old", 0600, sbx::sys::Durability::kCached));
  {
    auto file = NewFile::create(folder / "x", Kind::kFile);
    REQUIRE(sbx::sys::write_full(file->fd(), "new", "x"));
  }
  CHECK(folder.text("x") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a complete file replaces the one that was there") {
  const Folder folder;
  for (const char* text : {"one", "two"}) {
    auto file = NewFile::create(folder / "x", Kind::kFile);
    REQUIRE(sbx::sys::write_full(file->fd(), text, "x"));
    REQUIRE(file->commit());
    CHECK(folder.text("x") == text);
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("directories") {
  const Folder folder;
  REQUIRE(sbx::sys::make_dir_at(AT_FDCWD, folder / "d", 0700));  // an empty one is fine
  {
    auto left = NewFile::create(folder / "d/", Kind::kDirectory);
    REQUIRE(left);
    CHECK(NewFile::create(folder / "d", Kind::kDirectory).error().code == ErrorCode::kBusy);
    REQUIRE(sbx::sys::make_dir_at(left->fd(), "half", 0700));
  }
  CHECK(folder.entries() == 1);
  // As a killed process leaves it.
  REQUIRE(sbx::sys::make_dirs(folder / ".d.sbx-partial/half", 0700));
  auto whole = NewFile::create(folder / "d", Kind::kDirectory);
  REQUIRE(whole);
  REQUIRE(sbx::sys::make_dir_at(whole->fd(), "all", 0700));
  REQUIRE(whole->commit());
  CHECK(sbx::sys::list_dir(AT_FDCWD, folder / "d").value() == std::vector<std::string>{"all"});
  CHECK(folder.entries() == 1);
  CHECK(NewFile::create(folder / "d", Kind::kDirectory).error().code == ErrorCode::kAlreadyExists);
  CHECK(NewFile::create(folder / "d", Kind::kFile).error().code == ErrorCode::kAlreadyExists);
}

TEST_CASE("what is no file is written in place") {
  auto null = NewFile::create("/dev/null", Kind::kFile);
  REQUIRE(null);
  CHECK(sbx::sys::write_full(null->fd(), "x", "null"));
  CHECK(null->commit());
  CHECK(NewFile::create("/no/such/folder/x", Kind::kFile).error().code == ErrorCode::kNotFound);
}
