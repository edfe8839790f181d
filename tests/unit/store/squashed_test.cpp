#include "store/squashed.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <vector>

#include "store/gc.hpp"
#include "sys/file.hpp"
#include "temporary_dir.hpp"

namespace sbx::store::test {
namespace {

oci::ChainId key_of(const std::string& path) {
  const sys::Fd file = sys::open_at(AT_FDCWD, path, O_RDONLY).value();
  return squash_key_of(file.get(), path).value();
}

void write(const std::string& path, const std::string& text) {
  REQUIRE(sys::write_file_at(AT_FDCWD, path, text, 0600, sys::Durability::kCached));
}

}  // namespace

TEST_CASE("a note is found until its file changes", "[squashed]") {
  const TemporaryDir dir;
  const Store store = Store::open(dir.path + "/store", Store::Access::kWrite).value();
  const std::string path = dir.path + "/image.sqsh";
  write(path, "first");
  const oci::ChainId key = key_of(path);
  CHECK(key_of(path) == key);
  CHECK(!find_squashed(store, key));
  REQUIRE(note_squashed(store, key, path, {{"more", "data"}}));
  CHECK(find_string(*find_squashed(store, key), "more").value() == "data");
  const std::vector<SquashedFile> files = squashed_files(store).value();
  REQUIRE(files.size() == 1);
  CHECK((files[0].key == key && files[0].path == path));

  write(path, "other");
  CHECK(key_of(path) != key);
  CHECK(squashed_files(store).value().empty());
  CHECK(find_squashed(store, key));  // looking removes nothing
  CHECK(collect_garbage(store).value().ran);
  CHECK(!find_squashed(store, key));
}

TEST_CASE("each part of a file's state makes another key", "[squashed]") {
  struct stat st {};
  const std::array<std::byte, 3> head{};
  const oci::ChainId before = squash_key(st, head);
  for (const auto& change : std::vector<void (*)(struct stat&)>{
           [](struct stat& s) { s.st_ino = 1; }, [](struct stat& s) { s.st_size = 1; },
           [](struct stat& s) { s.st_mtim.tv_sec = 1; },
           [](struct stat& s) { s.st_mtim.tv_nsec = 1; }}) {
    struct stat changed = st;
    change(changed);
    CHECK(squash_key(changed, head) != before);
  }
  CHECK(squash_key(st, std::span(head).first(2)) != before);
}

TEST_CASE("only regular files have keys, and notes that are none are none", "[squashed]") {
  const TemporaryDir dir;
  const sys::Fd folder = sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY).value();
  CHECK(squash_key_of(folder.get(), "x").error().code == ErrorCode::kInvalidArgument);
  const Store store = Store::open(dir.path + "/store", Store::Access::kWrite).value();
  REQUIRE(sys::make_dir_at(store.dir(), kSquashedDir, 0700));
  const oci::ChainId key;
  REQUIRE(sys::write_file_at(store.dir(), std::string(kSquashedDir) + "/" + key.hex(), "[]", 0600,
                             sys::Durability::kCached));
  REQUIRE(sys::write_file_at(store.dir(), std::string(kSquashedDir) + "/rubbish", "{}", 0600,
                             sys::Durability::kCached));
  CHECK(!find_squashed(store, key));
  CHECK(squashed_files(store).value().empty());
}

TEST_CASE("what is forgotten is gone, and may be forgotten twice", "[squashed]") {
  const TemporaryDir dir;
  const Store store = Store::open(dir.path + "/store", Store::Access::kWrite).value();
  const std::string path = dir.path + "/image.sqsh";
  write(path, "file");
  const oci::ChainId key = key_of(path);
  REQUIRE(note_squashed(store, key, path, Json::object()));
  write(dir.path + "/store/" + Store::tree_path(key), "tree");
  CHECK(forget_squashed(store, key));
  CHECK(!find_squashed(store, key));
  CHECK(!store.open_tree(key));
  CHECK(forget_squashed(store, key));
}

}  // namespace sbx::store::test
