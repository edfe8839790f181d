#include "layer/squash_writer.hpp"

#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "layer/merged_tree.hpp"
#include "layer/squash_reader.hpp"
#include "layer/squash_scan.hpp"
#include "tree_fixture.hpp"

namespace sbx::layer::test {
namespace {

struct Source {
  ImageTree tree;
  std::vector<sys::Fd> layers;
};

Source source() {
  sbx::test::TreeFixture fixture;
  TarEntry special;
  special.path = "dir/device";
  special.type = EntryType::kBlockDevice;
  special.mode = 0660;
  special.rdev = makedev(259, 70000);
  special.gid = 99999;
  TarEntry attributes;
  attributes.path = "attributes";
  attributes.mode = 04755;
  attributes.uid = 70000;
  attributes.mtime_sec = 1700000000;
  attributes.data_offset = 5;
  attributes.size = 20;
  attributes.xattrs = {{"security.capability", std::string("\1\0\2", 3)},
                       {"user.empty", ""},
                       {"system.posix_acl_access", "no place"}};
  TarEntry sparse;
  sparse.path = "sparse";
  sparse.mode = 0600;
  sparse.sparse = true;
  sparse.size = 1U << 20U;
  sparse.extents = {{700000, 10, 0}};
  TarEntry old;
  old.path = "old";
  old.mtime_sec = -5;
  fixture.dir("etc")
      .file("etc/rc", 0, 3)
      .dir("dir", 01777)
      .add(special)
      .add(attributes)
      .add(sparse)
      .add(old);
  fixture.file("large", 0, 500000)
      .link("dir/large", "large")
      .symlink("link", "dir/large")
      .file("small", 7, 11);
  for (int i = 0; i < 700; ++i) {
    fixture.file("dir/" + std::to_string(i), static_cast<std::uint64_t>(i), 100);
  }
  std::string tar;
  for (int i = 0; i < 200000; ++i) {
    tar += std::to_string(i);
  }
  Source out{fixture.build(), {}};
  out.layers.emplace_back(::memfd_create("tar", MFD_CLOEXEC));
  REQUIRE(::write(out.layers[0].get(), tar.data(), tar.size()) == static_cast<ssize_t>(tar.size()));
  return out;
}

std::string bytes_of(int fd) {
  return sys::read_fd(
             sys::open_at(AT_FDCWD, "/proc/self/fd/" + std::to_string(fd), O_RDONLY)->get(),
             1U << 26U, "x")
      .value();
}

/// Path, metadata and content of everything.
void describe(const ImageTree& tree, const std::function<std::string(TreeIno)>& read, TreeIno dir,
              const std::string& prefix, std::vector<std::string>& out) {
  for (std::uint32_t i = 0; i < tree.entry_count(dir); ++i) {
    const auto entry = *tree.entry(dir, i);
    const TreeInode inode = *tree.inode(entry.ino);
    const std::string path = prefix + "/" + std::string(entry.name);
    std::string line = path + " " + std::to_string(inode.mode) + " " + std::to_string(inode.uid) +
                       " " + std::to_string(inode.gid) + " " + std::to_string(inode.nlink) + " " +
                       std::to_string(inode.rdev) + " " + std::to_string(inode.size) + " " +
                       std::to_string(std::max<std::int64_t>(inode.mtime_sec, 0));
    for (const char* name : {"security.capability", "user.empty"}) {
      const auto value = tree.find_xattr(entry.ino, name);
      line += value ? " " + std::string(*value) : " -";
    }
    line += std::string(tree.symlink_target(entry.ino));
    line += S_ISREG(inode.mode) ? read(entry.ino) : "";
    out.push_back(std::move(line));
    describe(tree, read, entry.ino, path, out);
  }
}

}  // namespace

TEST_CASE("a squashfs that is written holds the tree", "[squash_writer]") {
  const Source from = source();
  for (const Compression compression :
       {Compression::kZstd, Compression::kGzip, Compression::kNone}) {
    const sys::Fd file(::memfd_create("squashfs", MFD_CLOEXEC));
    SquashWriting writing;
    writing.compression = compression;
    writing.threads = 3;
    const Result<void> written = write_squash(from.tree, from.layers, writing, file.get(), "x");
    if (!written) {
      FAIL(written.error().message());
    }
    const std::string bytes = bytes_of(file.get());
    CHECK(bytes.size() % 4096 == 0);
    TreeBudget budget{TreeLimits{}};
    LayerIndex index(budget);
    const auto info = scan_squash({file.get(), 0, bytes.size()}, budget, index);
    REQUIRE(info);
    MergedTree merged(budget);
    REQUIRE(merged.apply(index, oci::DiffId(), bytes.size()));
    sys::Fd made(::memfd_create("tree", MFD_CLOEXEC));
    REQUIRE(merged.write(made.get(), oci::ChainId(), "tree", info->squash));
    const ImageTree tree = ImageTree::open(std::move(made), "tree").value();
    REQUIRE(tree.verify());
    SquashReader reader(tree, file.get());
    std::vector<std::string> wanted;
    std::vector<std::string> got;
    describe(
        from.tree,
        [&](TreeIno ino) { return from.tree.read_file(ino, from.layers, 1U << 21U).value(); },
        kTreeRoot, "", wanted);
    describe(
        tree, [&](TreeIno ino) { return reader.read_file(ino, 1U << 21U).value(); }, kTreeRoot, "",
        got);
    CHECK(wanted.size() == 711);
    CHECK((wanted == got));
    CHECK(tree.extent_count(tree.resolve("sparse")) == 1);
    CHECK(tree.xattr_count(tree.resolve("attributes")) == 2);
  }
}

TEST_CASE("the same tree makes the same bytes, whatever the threads", "[squash_writer]") {
  const Source from = source();
  std::string before;
  for (const unsigned threads : {1U, 4U, 2U}) {
    const sys::Fd file(::memfd_create("squashfs", MFD_CLOEXEC));
    SquashWriting writing;
    writing.threads = threads;
    REQUIRE(write_squash(from.tree, from.layers, writing, file.get(), "x"));
    const std::string bytes = bytes_of(file.get());
    CHECK((before.empty() || before == bytes));
    before = bytes;
  }
}

TEST_CASE("files are put over what is there", "[squash_writer]") {
  const Source from = source();
  const sys::Fd file(::memfd_create("squashfs", MFD_CLOEXEC));
  SquashWriting writing;
  const TreeIno etc = from.tree.resolve("etc");
  writing.extras = {{etc, "rc", "new text"}, {etc, "environment", ""}};
  REQUIRE(write_squash(from.tree, from.layers, writing, file.get(), "x"));
  TreeBudget budget{TreeLimits{}};
  LayerIndex index(budget);
  const std::uint64_t size = bytes_of(file.get()).size();
  const auto info = scan_squash({file.get(), 0, size}, budget, index);
  REQUIRE(info);
  MergedTree merged(budget);
  REQUIRE(merged.apply(index, oci::DiffId(), size));
  sys::Fd made(::memfd_create("tree", MFD_CLOEXEC));
  REQUIRE(merged.write(made.get(), oci::ChainId(), "tree", info->squash));
  const ImageTree tree = ImageTree::open(std::move(made), "tree").value();
  SquashReader reader(tree, file.get());
  CHECK(reader.read_file(tree.resolve("etc/rc"), 100).value() == "new text");
  CHECK(tree.inode(tree.resolve("etc/environment"))->size == 0);
  CHECK(tree.entry_count(tree.resolve("etc")) == 2);
  writing.extras = {{kTreeRoot, "dir", "no"}};
  const sys::Fd other(::memfd_create("squashfs", MFD_CLOEXEC));
  CHECK(write_squash(from.tree, from.layers, writing, other.get(), "x").error().code ==
        ErrorCode::kUnsupported);
}

TEST_CASE("a full disk is told", "[squash_writer]") {
  const Source from = source();
  const sys::Fd full = sys::open_at(AT_FDCWD, "/dev/full", O_RDWR).value();
  const Result<void> written = write_squash(from.tree, from.layers, {}, full.get(), "x");
  CHECK((!written && written.error().sys_errno == ENOSPC));
}

}  // namespace sbx::layer::test
