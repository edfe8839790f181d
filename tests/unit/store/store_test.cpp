#include "store/store.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/scope_exit.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

using sbx::ErrorCode;
using sbx::oci::ChainId;
using sbx::oci::Descriptor;
using sbx::oci::Digest;
using sbx::oci::DigestBytes;
using sbx::store::Staging;
using sbx::store::Store;

namespace {

/// A store in a directory of its own, gone at the end.
class Fixture {
 public:
  Fixture() {
    REQUIRE(::mkdtemp(dir_.data()) != nullptr);
    store_ = std::make_unique<Store>(Store::open(path(), Store::Access::kWrite).value());
  }
  ~Fixture() { (void)sbx::sys::remove_tree_at(AT_FDCWD, dir_).has_value(); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] std::string path() const { return dir_ + "/store"; }
  [[nodiscard]] std::size_t count(const std::string& name) const {
    return sbx::sys::list_dir(store_->dir(), name).value().size();
  }

 private:
  std::string dir_ = "/tmp/sbx-store-test-XXXXXX";
  std::unique_ptr<Store> store_;
};

DigestBytes number(std::uint8_t n) {
  DigestBytes bytes{};
  bytes[31] = n;
  return bytes;
}

/// An image of one layer: manifest 1, configuration 2, layer 3, tree 4.
void add_image(const Store& store) {
  Staging staging = Staging::open(store).value();
  const std::string digest = "\"digest\":\"sha256:";
  REQUIRE(staging.add_blob(
      R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",)" +
          digest + Digest(number(2)).hex() + R"(","size":6},"layers":[{"mediaType":)" +
          R"("application/vnd.oci.image.layer.v1.tar",)" + digest + Digest(number(3)).hex() +
          R"(","size":5}]})",
      number(1)));
  REQUIRE(staging.add_blob("config", number(2)));
  REQUIRE(staging.add_blob("layer", number(3)));
  const sbx::sys::Fd tree = staging.create("tree").value();
  REQUIRE(staging.add_tree(tree, "tree", ChainId(number(4))));
  REQUIRE(staging.publish());
  Descriptor entry;
  entry.media_type = sbx::oci::kOciManifestType;
  entry.digest = Digest(number(1));
  entry.annotations[std::string(sbx::store::kChainIdAnnotation)] = ChainId(number(4)).str();
  const auto lock = store.index_lock();
  sbx::oci::Index index = store.read_index().value();
  index.manifests.push_back(entry);
  REQUIRE(store.write_index(index));
}

}  // namespace

TEST_CASE("a store is an OCI layout, made once and read by anybody") {
  const Fixture f;
  CHECK(Store::open(f.path(), Store::Access::kWrite));
  CHECK(Store::open(f.path(), Store::Access::kRead));
  CHECK(f.store().read_index()->manifests.empty());
  CHECK(Store::open(f.path() + "/none", Store::Access::kRead).error().code == ErrorCode::kNotFound);
  REQUIRE(sbx::sys::write_file_at(f.store().dir(), "oci-layout",
                                  R"({"imageLayoutVersion":"2.0.0"})", 0600,
                                  sbx::sys::Durability::kCached));
  CHECK(Store::open(f.path(), Store::Access::kRead).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("what is staged is seen only once it is published, and gone if it never is") {
  const Fixture f;
  {
    Staging staging = Staging::open(f.store()).value();
    REQUIRE(staging.add_blob("data", number(7)));
    CHECK_FALSE(f.store().has_blob(number(7)));
    CHECK(f.count("staging") == 1);
  }
  CHECK(f.count("staging") == 0);
  CHECK_FALSE(f.store().has_blob(number(7)));
  Staging staging = Staging::open(f.store()).value();
  REQUIRE(staging.add_blob("data", number(7)));
  REQUIRE(staging.publish());
  CHECK(f.store().read_blob(number(7), 10).value() == "data");
  CHECK(f.store().read_blob(number(7), 3).error().code == ErrorCode::kLimit);
}

TEST_CASE("a blob that is there already wins") {
  const Fixture f;
  Staging first = Staging::open(f.store()).value();
  Staging second = Staging::open(f.store()).value();
  REQUIRE(first.add_blob("same", number(7)));
  REQUIRE(second.add_blob("same", number(7)));
  REQUIRE(first.publish());
  const auto inode = sbx::sys::stat_at(f.store().dir(), Store::blob_path(number(7)))->st_ino;
  REQUIRE(second.publish());
  CHECK(sbx::sys::stat_at(f.store().dir(), Store::blob_path(number(7)))->st_ino == inode);
}

TEST_CASE("the collector takes what no image needs, and nothing else") {
  const Fixture f;
  add_image(f.store());
  {
    Staging staging = Staging::open(f.store()).value();
    REQUIRE(staging.add_blob("orphan", number(9)));
    REQUIRE(staging.publish());
  }
  const auto collected = sbx::store::collect_garbage(f.store());
  REQUIRE(collected);
  CHECK(collected->ran);
  CHECK(collected->files == 1);
  CHECK(f.count("blobs/sha256") == 3);
  CHECK(f.count("tree") == 1);
  REQUIRE(f.store().write_index({}));
  REQUIRE(sbx::store::collect_garbage(f.store()));
  CHECK(f.count("blobs/sha256") == 0);
  CHECK(f.count("tree") == 0);
}

TEST_CASE("nothing is collected while something is in use") {
  const Fixture f;
  Staging staging = Staging::open(f.store()).value();
  REQUIRE(staging.add_blob("new", number(9)));
  REQUIRE(staging.publish());
  CHECK_FALSE(sbx::store::collect_garbage(f.store())->ran);
  CHECK(f.store().has_blob(number(9)));
}

TEST_CASE("nothing is collected if an image cannot be read") {
  const Fixture f;
  add_image(f.store());
  REQUIRE(sbx::sys::unlink_at(f.store().dir(), Store::blob_path(number(1))));
  CHECK_FALSE(sbx::store::collect_garbage(f.store()));
  CHECK(f.store().has_blob(number(3)));
}

TEST_CASE("what a killed load left goes with the next command") {
  const Fixture f;
  add_image(f.store());
  REQUIRE(sbx::sys::make_dir_at(f.store().dir(), "staging/dead", 0700));
  REQUIRE(sbx::sys::write_file_at(f.store().dir(), "staging/dead/layer-0", "half", 0600,
                                  sbx::sys::Durability::kCached));
  REQUIRE(sbx::sys::write_file_at(f.store().dir(), "index.json.1.2.new", "half", 0600,
                                  sbx::sys::Durability::kCached));
  REQUIRE(sbx::store::clean_leftovers(f.store()));
  CHECK(f.count("staging") == 0);
  CHECK_FALSE(sbx::sys::exists_at(f.store().dir(), "index.json.1.2.new"));
  CHECK(f.count("blobs/sha256") == 3);
}
