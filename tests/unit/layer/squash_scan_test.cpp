#include "layer/squash_scan.hpp"

#include <sys/sysmacros.h>

#include "layer/merged_tree.hpp"
#include "layer/squash_reader.hpp"
#include "squash_builder.hpp"
#include "tree_fixture.hpp"

namespace sbx::layer::test {

using sbx::test::bytes_of;
using sbx::test::SquashBuilder;

namespace {

constexpr std::uint32_t kPlain = 1U << 24U;

/// As adopt_squash() does it.
Result<ImageTree> tree_of(SquashBuilder& builder, std::uint64_t base = 0, TreeLimits limits = {}) {
  const SquashSource source = builder.open(base);
  TreeBudget budget(limits);
  LayerIndex index(budget);
  const SquashInfo info = SBX_TRY(scan_squash(source, budget, index));
  MergedTree tree(budget);
  SBX_TRY(tree.apply(index, oci::DiffId(), source.base + source.size));
  sys::Fd file(::memfd_create("tree", MFD_CLOEXEC));
  SBX_TRY(tree.write(file.get(), oci::ChainId(), "tree", info.squash));
  ImageTree image = SBX_TRY(ImageTree::open(std::move(file), "tree"));
  SBX_TRY(image.verify());
  return image;
}

ErrorCode code_of(SquashBuilder& builder, TreeLimits limits = {}) {
  const Result<ImageTree> tree = tree_of(builder, 0, limits);
  REQUIRE(!tree);
  return tree.error().code;
}

std::string xattr(std::uint16_t type, std::string_view name, std::string_view value) {
  return bytes_of(squash::XattrKey{type, static_cast<std::uint16_t>(name.size())}) +
         std::string(name) + bytes_of(static_cast<std::uint32_t>(value.size())) +
         std::string(value);
}

}  // namespace

TEST_CASE("everything a squashfs can hold is in its tree", "[squash_scan]") {
  SquashBuilder builder;
  const std::string block(4096, 'b');
  const std::uint32_t start = builder.data(block + "tail");
  const std::uint32_t fragment = builder.fragment("onetwothree");
  builder.xattrs(xattr(0, "a", "1") + xattr(2, "capability", "cap"), 2);
  const std::uint16_t whole = builder.file(start, 4100, {4096 | kPlain, 4 | kPlain});
  const std::uint16_t tail = builder.file(0, 3, {}, fragment, 3);
  squash::LongFileInode holes{};
  holes.size = 1U << 20U;
  holes.nlink = 2;
  holes.fragment = squash::kNoFragment;
  holes.xattrs = 0;
  const std::uint16_t sparse = builder.long_file(holes, std::vector<std::uint32_t>(256, 0));
  const std::uint16_t link = builder.symlink("../whole");
  const std::uint16_t device = builder.device(0x00100502);
  const std::uint16_t socket = builder.socket();
  const std::uint16_t inner = builder.directory({{"link", link}, {"socket", socket}}, 0);
  builder.directory({{".wh.whole", tail},
                     {"device", device},
                     {"dir", inner},
                     {"sparse", sparse},
                     {"whole", whole}});

  for (const std::uint64_t base : {std::uint64_t{0}, std::uint64_t{12345}}) {
    const Result<ImageTree> tree = tree_of(builder, base);
    if (!tree) {
      FAIL(tree.error().message());
    }
    CHECK(sbx::test::list_tree(*tree) ==
          ".wh.whole\ndevice\ndir/\ndir/link\ndir/socket\nsparse\nwhole\n");
    CHECK(tree->squash()->block_size == 4096);
    const auto inode = tree->inode(tree->resolve("whole"));
    CHECK((inode->mode == (S_IFREG | 0644) && inode->uid == 1234 && inode->gid == 0));
    CHECK((inode->size == 4100 && inode->mtime_sec == 1000));
    CHECK(tree->inode(tree->resolve("device"))->rdev == makedev(5, 0x102));
    CHECK(tree->inode(tree->resolve("dir/socket"))->mode == (S_IFSOCK | 0755));
    CHECK(tree->symlink_target(tree->lookup(tree->resolve("dir"), "link")) == "../whole");
    CHECK(tree->find_xattr(tree->resolve("dir"), "user.a") == "1");
    CHECK(tree->find_xattr(tree->resolve("dir"), "security.capability") == "cap");
    const auto first = tree->block(tree->resolve("whole"), 0);
    CHECK((first->offset == base + start && first->length == 4096 && !first->compressed));

    const SquashSource source = builder.open(base);
    SquashReader reader(*tree, source.fd);
    CHECK(reader.read_file(tree->resolve("whole"), 5000).value() == block + "tail");
    CHECK(reader.read_file(tree->resolve(".wh.whole"), 5000).value() == "two");
    CHECK(reader.read_file(tree->resolve("sparse"), 1U << 20U).value() ==
          std::string(1U << 20U, '\0'));
    CHECK(tree->extent_count(tree->resolve("sparse")) == 0);
    CHECK(reader.read_file(tree->resolve("whole"), 4099).error().code == ErrorCode::kLimit);
  }
}

TEST_CASE("a file with several names is one file", "[squash_scan]") {
  SquashBuilder builder;
  const std::uint16_t device = builder.device(0x103, 2);
  builder.directory({{"a", device}, {"b", device}});
  const ImageTree tree = tree_of(builder).value();
  CHECK(tree.resolve("a") == tree.resolve("b"));
  CHECK(tree.inode(tree.resolve("a"))->nlink == 2);
}

TEST_CASE("a directory that is its own child is refused", "[squash_scan]") {
  SquashBuilder builder;
  const std::uint16_t inner = builder.directory({});
  builder.directory({{"a", inner}, {"b", inner}});
  CHECK(code_of(builder) == ErrorCode::kCorrupt);
  // The root's inode is written last, behind one that is as large: 16 bytes of head, 24 of its own.
  SquashBuilder loop;
  loop.directory({{"self", 0}});
  CHECK(code_of(loop) == ErrorCode::kCorrupt);
}

TEST_CASE("names that a directory cannot have are refused", "[squash_scan]") {
  using std::string_literals::operator""s;
  for (const std::string& name : {"."s, ".."s, "a/b"s, "a\0b"s, "/"s}) {
    SquashBuilder builder;
    builder.directory({{name, builder.device(1)}});
    CHECK(code_of(builder) == ErrorCode::kCorrupt);
  }
  SquashBuilder twice;
  const std::uint16_t device = twice.device(1);
  twice.directory({{"b", device}, {"a", device}, {"b", device}});
  CHECK(code_of(twice) == ErrorCode::kCorrupt);
  SquashBuilder unsorted;
  unsorted.directory({{"b", unsorted.device(1)}, {"a", unsorted.device(2)}});
  CHECK(tree_of(unsorted));
  SquashBuilder giant;
  giant.directory({{std::string(256, 'n'), giant.device(1)}});
  CHECK(code_of(giant) == ErrorCode::kCorrupt);
}

TEST_CASE("data outside of the squashfs are refused", "[squash_scan]") {
  struct Case {
    std::uint32_t start;
    std::uint32_t size;
    std::vector<std::uint32_t> blocks;
    std::uint32_t fragment = squash::kNoFragment;
    std::uint32_t offset = 0;
  };
  const std::vector<Case> cases{
      {1U << 30U, 4096, {4096 | kPlain}},
      {96, 4096, {4097}},
      {96, 4096, {1U << 25U | 100}},
      {0, 4096, {100}},
      {96, 4096, {4000 | kPlain}},
      {96, 10, {}, 7, 0},
      {96, 10, {}, 0, 4090},
      {96, 10, {}, 0, 5},
  };
  for (const Case& each : cases) {
    SquashBuilder builder;
    (void)builder.fragment("0123456789");
    const std::uint16_t file =
        builder.file(each.start, each.size, each.blocks, each.fragment, each.offset);
    builder.directory({{"file", file}});
    CHECK(code_of(builder) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("what a file says is believed only as far as the limits go", "[squash_scan]") {
  SquashBuilder bomb;
  squash::LongFileInode inode{};
  inode.size = UINT64_MAX / 2;
  inode.fragment = squash::kNoFragment;
  inode.xattrs = squash::kNoXattrs;
  bomb.directory({{"bomb", bomb.long_file(inode)}});
  CHECK(code_of(bomb) == ErrorCode::kLimit);
  SquashBuilder many;
  std::vector<SquashBuilder::Name> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back({std::to_string(i), many.device(1)});
  }
  many.directory(names);
  CHECK(tree_of(many));
  CHECK(code_of(many, {.entries = 10}) == ErrorCode::kLimit);
  CHECK(code_of(many, {.string_bytes = 10}) == ErrorCode::kLimit);
}

TEST_CASE("extended attributes that lie are refused", "[squash_scan]") {
  const std::vector<std::pair<std::string, std::uint32_t>> cases{
      {xattr(7, "a", "b"), 1},
      {xattr(0, "a", "b") + xattr(0, "a", "c"), 2},
      {xattr(0, "", "b"), 1},
      {xattr(0, "a", "b"), 600},
      {xattr(0x100, "a", "short"), 1},
      {xattr(0x100, "a", std::string(8, '\xFF')), 1},
      {xattr(0, std::string_view("a\0", 2), "b"), 1},
      {bytes_of(squash::XattrKey{0, 1}) + "a" + bytes_of(std::uint32_t{1U << 30U}), 1}};
  for (const auto& [pairs, count] : cases) {
    SquashBuilder builder;
    builder.xattrs(pairs, count);
    builder.directory({}, 0);
    CHECK(code_of(builder) == ErrorCode::kCorrupt);
  }
  SquashBuilder absent;
  absent.directory({}, 3);
  CHECK(code_of(absent) == ErrorCode::kCorrupt);
  SquashBuilder elsewhere;
  elsewhere.xattrs(xattr(0, "b", "far away") + xattr(0x101, "a", bytes_of(std::uint64_t{5})), 2);
  elsewhere.directory({}, 0);
  CHECK(tree_of(elsewhere).value().find_xattr(kTreeRoot, "trusted.a") == "far away");
}

TEST_CASE("a superblock that lies is refused", "[squash_scan]") {
  const auto with = [](auto change) {
    SquashBuilder builder;
    builder.directory({});
    change(builder.super);
    return code_of(builder);
  };
  using Super = squash::SuperBlock;
  CHECK(with([](Super& s) { s.magic = 1; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.major = 3; }) == ErrorCode::kUnsupported);
  CHECK(with([](Super& s) { s.block_size = 2048; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.block_size = 5000; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.block_log = 13; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.block_log = 60; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.compression = 9; }) == ErrorCode::kUnsupported);
  CHECK(with([](Super& s) { s.bytes_used = 1U << 30U; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.bytes_used = 100; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.inodes = 1U << 30U; }) == ErrorCode::kCorrupt);
  CHECK(with([](Super& s) { s.directories = 97; }) == ErrorCode::kCorrupt);
}

}  // namespace sbx::layer::test
