#include "image/image_store.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/json.hpp"
#include "base/sha256.hpp"
#include "image/loader.hpp"
#include "sys/file.hpp"
#include "tar_builder.hpp"

using sbx::ErrorCode;
using sbx::image::ImageStore;
using sbx::image::LoadedImage;
using sbx::image::LoadRequest;
using sbx::image::SourceName;
using sbx::test::tar_end;
using sbx::test::tar_member;

namespace {

std::string sha256_hex(std::string_view data) {
  sbx::Sha256 hash;
  hash.update(std::as_bytes(std::span(data)));
  return hash.finish_hex();
}

/// A data directory and docker archives made by hand.
class Fixture {
 public:
  Fixture() { REQUIRE(::mkdtemp(dir_.data()) != nullptr); }
  ~Fixture() { (void)sbx::sys::remove_tree_at(AT_FDCWD, dir_).has_value(); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  [[nodiscard]] std::string root() const { return dir_ + "/root"; }

  /// Loads an archive whose image has one file, "content".
  sbx::Result<LoadedImage> load(const std::string& content, const std::vector<std::string>& tags) {
    const std::string layer = tar_member({"content", '0', "", content}) + tar_end();
    const std::string config = sbx::dump_json(
        {{"os", "linux"},
         {"architecture", sbx::oci::Platform::host().architecture},
         {"config", {{"Cmd", {"run", content}}}},
         {"rootfs", {{"type", "layers"}, {"diff_ids", {"sha256:" + sha256_hex(layer)}}}}});
    const std::string name = sha256_hex(config) + ".json";
    const std::string manifest = sbx::dump_json(
        sbx::Json::array({{{"Config", name}, {"RepoTags", tags}, {"Layers", {"x/layer.tar"}}}}));
    // The layer as a link, as docker writes those that repeat.
    const std::string archive = tar_member({"y/layer.tar", '0', "", layer}) +
                                tar_member({"x/layer.tar", '2', "../y/layer.tar"}) +
                                tar_member({name, '0', "", config}) +
                                tar_member({"manifest.json", '0', "", manifest}) + tar_end();
    REQUIRE(sbx::sys::write_file_at(AT_FDCWD, dir_ + "/archive.tar", archive, 0600,
                                    sbx::sys::Durability::kCached));
    LoadRequest request;
    request.root = root();
    request.source = SBX_TRY(SourceName::parse("docker-archive:" + dir_ + "/archive.tar"));
    request.source_file = SBX_TRY(sbx::image::open_source(request.source));
    return sbx::image::load_image(std::move(request));
  }
  [[nodiscard]] ImageStore open() const { return ImageStore::open(root()).value(); }

 private:
  std::string dir_ = "/tmp/sbx-image-test-XXXXXX";
};

}  // namespace

TEST_CASE("a store that is not there has no images") {
  const Fixture f;
  CHECK(f.open().list()->empty());
  CHECK_FALSE(f.open().try_find("busybox")->has_value());
  CHECK(f.open().find("busybox").error().code == ErrorCode::kNotFound);
  CHECK(f.open().remove("busybox", ImageStore::Force::kNo).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a loaded image is found by each of its names") {
  Fixture f;
  const LoadedImage loaded = f.load("one", {"app:1", "example.org/app:one"}).value();
  CHECK_FALSE(loaded.already);
  const ImageStore store = f.open();
  const auto image = store.find("app:1");
  REQUIRE(image);
  CHECK(image->config.cmd == std::vector<std::string>{"run", "one"});
  CHECK(image->names == std::vector<std::string>{"docker.io/library/app:1", "example.org/app:one"});
  CHECK(image->config_digest == loaded.config);
  for (const std::string& name :
       {std::string("example.org/app:one"), image->id(), image->id().substr(0, 4),
        "sha256:" + image->id(), image->manifest.str(), "app@" + image->manifest.str()}) {
    CHECK(store.find(name).has_value());
  }
  CHECK_FALSE(store.find("app"));
  CHECK_FALSE(store.find("other@" + image->manifest.str()));
  CHECK(f.load("one", {"app:1"})->already);
  CHECK(store.list()->size() == 1);
}

TEST_CASE("the files of an image are its tree and its layers") {
  Fixture f;
  REQUIRE(f.load("hello", {"app"}));
  const auto opened = f.open().find_and_open("app");
  REQUIRE(opened);
  const auto& files = opened->second;
  CHECK(files.tree.verify());
  CHECK(files.tree.read_file(files.tree.resolve("content"), files.layers, 100).value() == "hello");
}

TEST_CASE("files that are open outlive their image") {
  Fixture f;
  REQUIRE(f.load("hello", {"app"}));
  const auto opened = f.open().find_and_open("app");
  const auto removed = f.open().remove("app", ImageStore::Force::kNo);
  REQUIRE(removed);
  CHECK(removed->deleted.has_value());
  CHECK(sbx::sys::list_dir(AT_FDCWD, f.root() + "/store/blobs/sha256")->empty());
  const auto& files = opened->second;
  CHECK(files.tree.read_file(files.tree.resolve("content"), files.layers, 100).value() == "hello");
}

TEST_CASE("names are given, moved and taken") {
  Fixture f;
  REQUIRE(f.load("one", {"app"}));
  REQUIRE(f.load("two", {"other"}));
  ImageStore store = f.open();
  REQUIRE(store.tag("app", "copy:x"));
  CHECK(store.find("copy:x")->names.size() == 2);
  CHECK(store.tag("nothing", "x").error().code == ErrorCode::kNotFound);
  CHECK_FALSE(store.tag("app", "Bad Name"));
  CHECK(store.remove(store.find("app")->id(), ImageStore::Force::kNo).error().code ==
        ErrorCode::kBusy);
  REQUIRE(store.tag("other", "app"));  // moves
  CHECK(store.find("app")->config.cmd.at(1) == "two");
  CHECK(store.find("copy:x")->names.size() == 1);
  const auto untagged = store.remove("app", ImageStore::Force::kNo);
  CHECK(untagged->untagged == std::vector<std::string>{"docker.io/library/app:latest"});
  CHECK_FALSE(untagged->deleted);
  CHECK(store.list()->size() == 2);
  CHECK(store.remove(store.find("copy:x")->id(), ImageStore::Force::kYes)->deleted);
  CHECK(store.list()->size() == 1);
}

TEST_CASE("an image that lost its last name to another one stays, found by id") {
  Fixture f;
  REQUIRE(f.load("one", {"app"}));
  const std::string id = f.open().find("app")->id();
  REQUIRE(f.load("two", {"app"}));
  CHECK(f.open().list()->size() == 2);
  const auto old = f.open().find(id);
  REQUIRE(old);
  CHECK(old->names.empty());
  CHECK(f.open().remove(id, ImageStore::Force::kNo)->deleted);
  CHECK(f.open().find("app"));
}

TEST_CASE("a damaged tree is reported, and made anew by the next load") {
  Fixture f;
  const LoadedImage loaded = f.load("one", {"app"}).value();
  const std::string tree = f.root() + "/store/" + sbx::store::Store::tree_path(loaded.chain);
  REQUIRE(sbx::sys::write_file_at(AT_FDCWD, tree, "damaged", 0600, sbx::sys::Durability::kCached));
  const auto opened = f.open().find_and_open("app");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kCorrupt);
  CHECK_FALSE(opened.error().hint.empty());
  REQUIRE(f.load("one", {"app"}));
  CHECK(f.open().find_and_open("app"));
}

TEST_CASE("limits of a load") {
  Fixture f;
  REQUIRE(f.load("one", {"app"}));
  CHECK(SourceName::parse("docker://x").error().code == ErrorCode::kInvalidArgument);
  CHECK(SourceName::parse("oci:").error().code == ErrorCode::kInvalidArgument);
  CHECK(SourceName::parse("oci:/dir:name:tag")->ref == "name:tag");
  CHECK(SourceName::is_one("oci-archive:x"));
  CHECK_FALSE(SourceName::is_one("oci"));
}
