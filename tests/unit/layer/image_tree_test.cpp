#include "layer/image_tree.hpp"

#include <sys/sysmacros.h>

#include <catch2/catch.hpp>

#include "layer/crc32c.hpp"
#include "tree_fixture.hpp"

using sbx::layer::ImageTree;
using sbx::layer::kNoInode;
using sbx::layer::kTreeRoot;
using sbx::layer::TreeIno;
using sbx::test::TreeFixture;

namespace {

sbx::sys::Fd memory_file(std::string_view data) {
  sbx::sys::Fd fd(::memfd_create("tar", MFD_CLOEXEC));
  REQUIRE(::write(fd.get(), data.data(), data.size()) == static_cast<ssize_t>(data.size()));
  return fd;
}

sbx::layer::TarEntry rich_file() {
  sbx::layer::TarEntry e;
  e.path = "etc/rich";
  e.mode = 04755;
  e.uid = 1000;
  e.gid = 100;
  e.mtime_sec = -5;
  e.mtime_nsec = 7;
  e.sparse = true;
  e.size = 20;
  e.extents = {{2, 3, 0}, {10, 4, 3}};
  e.xattrs = {{"security.capability", std::string("\x01\0\x02", 3)}, {"user.empty", ""}};
  return e;
}

sbx::layer::TarEntry device(std::string path) {
  sbx::layer::TarEntry e;
  e.path = std::move(path);
  e.type = sbx::layer::EntryType::kCharDevice;
  e.rdev = makedev(1, 3);
  return e;
}

}  // namespace

TEST_CASE("crc32c gives the check value of RFC 3720") {
  const std::string_view check = "123456789";
  CHECK(sbx::layer::crc32c(0, std::as_bytes(std::span(check))) == 0xE3069283U);
}

TEST_CASE("an inode comes back as it went in") {
  TreeFixture f;
  f.add(rich_file()).add(device("dev/null")).symlink("link", "etc/rich").file("plain", 3, 4);
  const ImageTree tree = f.build();
  const TreeIno ino = tree.resolve("/link");
  const auto inode = tree.inode(ino);
  REQUIRE(inode.has_value());
  CHECK(inode->mode == (S_IFREG | 04755));
  CHECK(inode->uid == 1000);
  CHECK(inode->gid == 100);
  CHECK(inode->mtime_sec == -5);
  CHECK(inode->mtime_nsec == 7);
  CHECK(inode->sparse);
  CHECK(inode->has_xattrs);
  CHECK(tree.xattr_count(ino) == 2);
  CHECK(tree.xattr(ino, 0)->name == "security.capability");
  CHECK(tree.find_xattr(ino, "security.capability") == std::string_view("\x01\0\x02", 3));
  CHECK(tree.find_xattr(ino, "user.empty") == std::string_view());
  CHECK_FALSE(tree.find_xattr(ino, "user.none"));
  CHECK(tree.inode(tree.resolve("dev/null"))->rdev == makedev(1, 3));
  CHECK(tree.inode(tree.lookup(kTreeRoot, "link"))->size == 8);
  CHECK(tree.symlink_target(tree.lookup(kTreeRoot, "link")) == "etc/rich");
  CHECK(tree.inode(kTreeRoot)->size == 4096);
}

TEST_CASE("lookup, entries and parents agree") {
  TreeFixture f;
  for (int i = 0; i < 300; ++i) {
    f.file("d/" + std::to_string(i));
  }
  const ImageTree tree = f.build();
  const TreeIno dir = tree.lookup(kTreeRoot, "d");
  REQUIRE(tree.entry_count(dir) == 300);
  for (std::uint32_t i = 0; i < 300; ++i) {
    CHECK(tree.lookup(dir, tree.entry(dir, i)->name) == tree.entry(dir, i)->ino);
  }
  CHECK(tree.parent(dir) == kTreeRoot);
  CHECK(tree.parent(kTreeRoot) == kTreeRoot);
  CHECK(tree.lookup(dir, "300") == kNoInode);
  CHECK(tree.lookup(tree.lookup(dir, "0"), "x") == kNoInode);
  CHECK_FALSE(tree.entry(dir, 300));
  CHECK_FALSE(tree.inode(0));
  CHECK_FALSE(tree.inode(tree.inode_count() + 1));
}

TEST_CASE("resolve stays inside the tree") {
  TreeFixture f;
  f.file("usr/bin/sh")
      .symlink("bin", "usr/bin")
      .symlink("abs", "/usr/../../usr")
      .symlink("loop", "loop");
  f.symlink("up", "../../..").symlink("dangling", "nowhere");
  const ImageTree tree = f.build();
  const TreeIno sh = tree.resolve("usr/bin/sh");
  CHECK(sh != kNoInode);
  CHECK(tree.resolve("/bin/./sh") == sh);
  CHECK(tree.resolve("abs//bin/sh") == sh);
  CHECK(tree.resolve("up/up/bin/../bin/sh") == sh);
  CHECK(tree.resolve("") == kTreeRoot);
  CHECK(tree.resolve("loop") == kNoInode);
  CHECK(tree.resolve("dangling") == kNoInode);
  CHECK(tree.resolve("bin/sh/x") == kNoInode);
}

TEST_CASE("file data is read through holes and never past the tar") {
  TreeFixture f;
  f.add(rich_file()).file("plain", 3, 4).file("beyond", 5, 100);
  const ImageTree tree = f.build();
  std::vector<sbx::sys::Fd> layers;
  layers.push_back(memory_file("abcdefg"));
  CHECK(*tree.read_file(tree.resolve("plain"), layers, 10) == "defg");
  CHECK_FALSE(tree.read_file(tree.resolve("plain"), layers, 3));
  CHECK(*tree.read_file(tree.resolve("etc/rich"), layers, 20) ==
        std::string("\0\0abc\0\0\0\0\0defg\0\0\0\0\0\0", 20));
  std::array<std::byte, 4> part{};
  CHECK(*tree.read(tree.resolve("etc/rich"), 11, part, layers) == 4);
  CHECK(part[0] == std::byte{'e'});
  CHECK(tree.read(tree.resolve("beyond"), 0, part, layers).error().value() == EIO);
  CHECK(*tree.read(tree.resolve("plain"), 4, part, layers) == 0);
}

TEST_CASE("no flipped byte crashes a reader, and verify sees each of them") {
  TreeFixture f;
  f.add(rich_file())
      .add(device("dev/null"))
      .symlink("link", "etc/rich")
      .link("again", "link")
      .file("d/e/f", 0, 9);
  const std::string good = f.build_bytes();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    const auto tree = ImageTree::over(std::as_bytes(std::span(bad)), "flipped");
    if (tree) {
      CHECK_FALSE(tree->verify());
      (void)tree->resolve("link/../d/e/f");
      for (TreeIno ino = 0; ino < 12; ++ino) {
        (void)tree->inode(ino);
        (void)tree->entry(ino, 0);
        (void)tree->xattr(ino, 1);
        (void)tree->extent(ino, 1);
      }
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(ImageTree::over(std::as_bytes(std::span(good)).first(size), "cut"));
  }
}
