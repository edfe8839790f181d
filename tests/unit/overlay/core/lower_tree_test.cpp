#include "overlay/core/lower_tree.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "../fixture.hpp"
#include "tree_fixture.hpp"

namespace sbx::overlay::test {

namespace {

std::unique_ptr<LowerTree> sparse_tree() {
  layer::TarEntry sparse;
  sparse.path = "sparse";
  sparse.mode = 0644;
  sparse.sparse = true;
  sparse.size = 1 << 20;
  sparse.extents = {{0, 4, 0}, {4, 4, 4}, {524288, 8, 8}};
  sbx::test::TreeFixture fixture;
  fixture.add(sparse).file("dir/plain", 0, 16).link("hard", "dir/plain");
  sys::Fd tar(::memfd_create("tar", MFD_CLOEXEC));
  REQUIRE(::write(tar.get(), "0123456789abcdef", 16) == 16);
  std::vector<sys::Fd> layers;
  layers.push_back(std::move(tar));
  return LowerTree::make(fixture.build(), std::move(layers)).value();
}

}  // namespace

TEST_CASE("holes are found, and stay holes when a file is copied", "[lower_tree]") {
  auto lower = sparse_tree();
  const LowerRef ref = lower->lookup(kLowerRoot, "sparse").value().ref();
  CHECK(lower->seek(ref, 0, SEEK_DATA).value() == 0);
  CHECK(lower->seek(ref, 0, SEEK_HOLE).value() == 8);
  CHECK(lower->seek(ref, 100, SEEK_DATA).value() == 524288);
  CHECK(lower->seek(ref, 524290, SEEK_HOLE).value() == 524296);
  CHECK(lower->seek(ref, 600000, SEEK_DATA).error() == Errno(ENXIO));
  CHECK(lower->seek(ref, 1 << 20, SEEK_HOLE).error() == Errno(ENXIO));
  CHECK(lower->attr(ref).value().blocks == 1);

  const Scratch scratch;
  const sys::Fd copy(
      ::open((scratch.path() + "/copy").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::ftruncate(copy.get(), 1 << 20) == 0);
  REQUIRE(lower->copy_data(ref, copy.get(), 1 << 20));
  struct stat st {};
  REQUIRE(::fstat(copy.get(), &st) == 0);
  CHECK(st.st_blocks * 512 < 100000);
  char bytes[8] = {};
  CHECK(::pread(copy.get(), bytes, 8, 524288) == 8);
  CHECK(std::string_view(bytes, 8) == "89abcdef");
}

TEST_CASE("all names of a file are known", "[lower_tree]") {
  auto lower = sparse_tree();
  const LowerRef dir = lower->lookup(kLowerRoot, "dir").value().ref();
  const LowerRef ref = lower->lookup(kLowerRoot, "hard").value().ref();
  CHECK(lower->lookup(dir, "plain").value().ref() == ref);
  for (int i = 0; i < 20; ++i) {  // searched for at first, then from the index
    CHECK(lower->places(dir).value().front().name == "dir");
  }
  CHECK(lower->places(ref).value().size() == 2);
  CHECK(lower->places(dir).value().front().name == "dir");
  CHECK(lower->places(kLowerRoot).error() == Errno(ENOENT));
  CHECK(lower->parent(dir).value() == kLowerRoot);
  CHECK(lower->parent(kLowerRoot).error() == Errno(ENOENT));
  lower->add_lookups(ref, 300);
  lower->release_memory();
  CHECK(lower->lookups(ref) == 300);
  CHECK(lower->places(ref).value().size() == 2);
  CHECK(lower->places(dir).value().front().name == "dir");
}

TEST_CASE("numbers that are no inode are refused", "[lower_tree]") {
  auto lower = sparse_tree();
  for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{1000}, std::uint64_t{1} << 32,
                                  (std::uint64_t{1} << 32) + 1}) {
    const LowerRef ref(bad);
    CHECK_FALSE(lower->valid(ref));
    CHECK(lower->attr(ref).error() == Errno(ESTALE));
    CHECK(lower->lookup(ref, "x").error() == Errno(ENOENT));
    CHECK_FALSE(lower->places(ref));
    CHECK_FALSE(lower->read_link(ref));
    lower->add_lookups(ref, 1);
    CHECK(lower->drop_lookups(ref, 1) == 0);
  }
}

}  // namespace sbx::overlay::test
