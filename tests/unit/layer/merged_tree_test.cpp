#include "layer/merged_tree.hpp"

#include <catch2/catch.hpp>

#include "tree_fixture.hpp"

using sbx::ErrorCode;
using sbx::layer::ImageTree;
using sbx::layer::kNoInode;
using sbx::test::list_tree;
using sbx::test::TreeFixture;

namespace {

std::string reason_of(TreeFixture& fixture) {
  const sbx::Result<ImageTree> tree = fixture.try_build();
  return tree ? "" : tree.error().reason;
}

}  // namespace

TEST_CASE("whiteouts take away from lower layers only, wherever they stand") {
  TreeFixture f;
  f.dir("a").file("a/old").file("a/kept").file("a/new").file("b");
  f.next_layer().file("a/new").whiteout("a/old").whiteout("a/new").file("b").whiteout("b");
  CHECK(list_tree(f.build()) == "a/\na/kept\na/new\nb\n");
}

TEST_CASE(
    "a whiteout of what no lower layer has is refused, one may name what another takes away") {
  for (const char* nothing : {"nothing", "nothing/here", "a/x/below"}) {
    TreeFixture f;
    f.dir("a").file("a/x");
    f.next_layer().whiteout(nothing);
    CHECK(reason_of(f) == "no lower layer has it");
  }
  TreeFixture twice;
  twice.dir("a").file("a/x").file("kept");
  twice.next_layer().whiteout("a").whiteout("a/x").opaque("new/dir").dir("new").dir("new/dir");
  CHECK(list_tree(twice.build()) == "kept\nnew/\nnew/dir/\n");
}

TEST_CASE("an opaque directory hides what is below and shows its own layer") {
  TreeFixture f;
  f.dir("a").file("a/x").dir("a/sub").file("a/sub/y").file("z");
  f.next_layer().file("a/mine").opaque("a").opaque("a").file("a/too");
  CHECK(list_tree(f.build()) == "a/\na/mine\na/too\nz\n");
  TreeFixture root;
  root.file("x");
  root.next_layer().opaque("").file("y");
  CHECK(list_tree(root.build()) == "y\n");
}

TEST_CASE("a directory keeps its children under a new directory entry and takes its metadata") {
  TreeFixture f;
  f.dir("a", 0755).file("a/x");
  f.next_layer().dir("a", 01777);
  const ImageTree tree = f.build();
  CHECK(list_tree(tree) == "a/\na/x\n");
  CHECK(tree.inode(tree.resolve("a"))->mode == (S_IFDIR | 01777));
}

TEST_CASE("an upper layer replaces a directory by a file and a file by a directory") {
  TreeFixture f;
  f.dir("a").file("a/x").file("b").symlink("lib", "usr/lib");
  f.next_layer().file("a").file("b/y").file("lib/z");
  const ImageTree tree = f.build();
  CHECK(list_tree(tree) == "a\nb/\nb/y\nlib/\nlib/z\n");
}

TEST_CASE("missing parents are 0755 and root's") {
  TreeFixture f;
  f.file("x/y/z");
  const ImageTree tree = f.build();
  const auto inode = tree.inode(tree.resolve("x/y"));
  CHECK(inode->mode == (S_IFDIR | 0755));
  CHECK(inode->uid == 0);
  CHECK(inode->nlink == 2);
  CHECK(tree.inode(tree.resolve("x"))->nlink == 3);
}

TEST_CASE("the last entry of a name wins") {
  TreeFixture f;
  f.file("a", 512, 1).file("a", 1024, 2).dir("d").file("d/x").file("d").file("d", 512, 3);
  const ImageTree tree = f.build();
  CHECK(tree.inode(tree.resolve("a"))->data_offset == 1024);
  CHECK(tree.inode(tree.resolve("d"))->size == 3);
  CHECK(tree.inode_count() == 3);
}

TEST_CASE("hard links share an inode within and across layers") {
  TreeFixture f;
  f.file("a", 512, 5).link("b", "a");
  f.next_layer().link("dir/c", "b").whiteout("a");
  const ImageTree tree = f.build();
  CHECK(tree.resolve("a") == kNoInode);
  CHECK(tree.resolve("b") == tree.resolve("dir/c"));
  CHECK(tree.inode(tree.resolve("b"))->nlink == 2);
  CHECK(tree.inode(tree.resolve("b"))->layer == 0);
}

TEST_CASE("a name that is written again leaves the other names of its inode alone") {
  TreeFixture f;
  f.file("a", 512, 5).link("b", "a").file("a", 1024, 6).link("b", "b2");
  CHECK(reason_of(f) == "it is a hard link to 'b2', which is not there");
  TreeFixture g;
  g.file("a", 512, 5).link("b", "a").link("b", "a").file("a", 1024, 6);
  const ImageTree tree = g.build();
  CHECK(tree.inode(tree.resolve("a"))->nlink == 1);
  CHECK(tree.inode(tree.resolve("b"))->size == 5);
}

TEST_CASE("links that lead nowhere, to themselves or to a directory are refused") {
  TreeFixture dangling;
  dangling.link("a", "b").link("b", "a");
  CHECK(reason_of(dangling) == "it is a hard link to 'b', which is not there");
  TreeFixture self;
  self.file("a").link("a", "a");
  CHECK(reason_of(self) == "it is a hard link to itself");
  TreeFixture directory;
  directory.dir("d").link("a", "d");
  CHECK(reason_of(directory) == "it is a hard link to the directory 'd'");
  TreeFixture inside;
  inside.file("d/x").link("d", "d/x");
  CHECK(reason_of(inside) == "it is a hard link to what it replaces");
}

TEST_CASE("a file of the same layer cannot be a parent, a symlink is followed inside the tree") {
  TreeFixture f;
  f.file("a").file("a/x");
  CHECK(reason_of(f) == "'a' on the way to it is not a directory");
  TreeFixture g;
  g.dir("usr/lib")
      .symlink("lib", "../../usr/lib")
      .file("lib/x")
      .symlink("abs", "/usr")
      .file("abs/y");
  CHECK(list_tree(g.build()) == "abs\nlib\nusr/\nusr/lib/\nusr/lib/x\nusr/y\n");
  TreeFixture loop;
  loop.symlink("a", "b").symlink("b", "a").file("a/x");
  CHECK(reason_of(loop) == "too many symbolic links on the way to it");
}

TEST_CASE("limits of an image hold across layers and count implied directories") {
  sbx::layer::TreeLimits limits;
  limits.entries = 4;
  TreeFixture f(limits);
  f.file("a").file("b");
  f.next_layer().file("c/d/e");
  const auto tree = f.try_build();
  REQUIRE_FALSE(tree);
  CHECK(tree.error().code == ErrorCode::kLimit);
  CHECK(tree.error().reason == "it has more than 4 files and directories");
}

TEST_CASE("a whiteout must name something and nothing may lie below one") {
  for (const char* path : {".wh.", ".wh..", "a/.wh...", ".wh.a/b"}) {
    TreeFixture f;
    f.file(path);
    CHECK_FALSE(f.try_build());
  }
  TreeFixture aufs;
  aufs.file(".wh..wh.plnk/123").file(".wh..wh.aufs").file("x");
  CHECK(list_tree(aufs.build()) == "x\n");
}

TEST_CASE("symlinks make neither a bottomless tree nor endless work") {
  TreeFixture deep;
  std::string target = "x";
  for (int i = 0; i < 999; ++i) {
    target += "/x";
  }
  deep.symlink("l", target).file("l/f").symlink("m", "l/" + target).file("m/f");
  CHECK(reason_of(deep) == "the tree is too deep");
  sbx::layer::TreeLimits limits;
  limits.steps = 1000;
  TreeFixture work(limits);
  work.symlink("a", "b").symlink("b", "c").dir("c").dir("d");
  for (int i = 0; i < 300; ++i) {
    work.file("a/" + std::to_string(i)).file("d/" + std::to_string(i));
  }
  CHECK(reason_of(work) == "its paths take too much work to follow");
}
