#include "runtime/volumes.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "runtime/container_dir.hpp"
#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::ErrorCode;
using sbx::runtime::ContainerDir;
using sbx::runtime::DataRoot;
using sbx::runtime::VolumeRecord;
using sbx::runtime::VolumeStore;
using sbx::sys::FileLock;
namespace fs = std::filesystem;

namespace {

VolumeRecord named(const std::string& name, bool anonymous = false) {
  VolumeRecord record;
  record.name = name;
  record.labels = {{"a", "b"}};
  record.anonymous = anonymous;
  return record;
}

void make_container(const DataRoot& root, const std::string& id, const std::string& volume,
                    bool anonymous) {
  sbx::runtime::ContainerState state;
  state.id = id;
  state.name = "user";
  state.volumes = {{volume, anonymous}};
  ContainerDir container = ContainerDir::create(root, std::move(state)).value();
  REQUIRE(container.write_created());
}

const std::string kId(64, 'a');

}  // namespace

TEST_CASE("a volume is made once, and found by the beginning of its name") {
  const TemporaryDir root;
  const VolumeStore store = VolumeStore::open(root.path).value();
  CHECK(store.create(named("data")).value());
  CHECK_FALSE(store.create(named("data")).value());
  CHECK(fs::is_directory(store.data_path("data")));
  const VolumeRecord record = store.find("da").value();
  CHECK(record.name == "data");
  CHECK(record.labels.at("a") == "b");
  CHECK(record.created.size() > 20);
  REQUIRE(store.create(named("dato")));
  CHECK(store.find("dat").error().code == ErrorCode::kInvalidArgument);
  CHECK(store.find("data").value().name == "data");
  CHECK(store.find("other").error().code == ErrorCode::kNotFound);
  CHECK(store.find("").error().code == ErrorCode::kNotFound);
  CHECK(store.find("../volumes/data").error().code != ErrorCode::kSystem);
  CHECK_FALSE(store.find("../volumes/data"));
  CHECK(store.list().value().size() == 2);
  CHECK_FALSE(store.create(named("../x")));
}

TEST_CASE("a removed volume leaves nothing, and locks of it are worth nothing") {
  const TemporaryDir root;
  const VolumeStore store = VolumeStore::open(root.path).value();
  REQUIRE(store.create(named("data")));
  std::ofstream(store.data_path("data") + "/file") << "x";
  REQUIRE(store.remove("data"));
  CHECK(fs::is_empty(root.path + "/volumes"));
  CHECK(store.remove("data").error().code == ErrorCode::kNotFound);
  CHECK(store.try_lock("data", FileLock::Kind::kShared).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a volume that a container uses is not removed, and the container is named") {
  const TemporaryDir temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  const VolumeStore store = VolumeStore::open(temporary.path).value();
  REQUIRE(store.create(named("data")));
  make_container(root, kId, "data", false);
  const auto refused = store.remove("data");
  CHECK(refused.error().code == ErrorCode::kBusy);
  CHECK(refused.error().reason.find("user") != std::string::npos);
  CHECK(store.users().value().at("data") == std::vector<std::string>{"user"});
  CHECK(store.read("data"));
}

TEST_CASE("what mounts a volume keeps others from filling it, not from mounting it") {
  const TemporaryDir root;
  const VolumeStore store = VolumeStore::open(root.path).value();
  REQUIRE(store.create(named("data")));
  const auto mounted = store.try_lock("data", FileLock::Kind::kShared).value();
  REQUIRE(mounted);
  CHECK(store.try_lock("data", FileLock::Kind::kShared).value());
  CHECK_FALSE(store.try_lock("data", FileLock::Kind::kExclusive).value());
}

TEST_CASE("the sweep removes what killed processes left, and volumes whose containers are gone") {
  const TemporaryDir temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  const VolumeStore store = VolumeStore::open(temporary.path).value();
  const std::string folder = temporary.path + "/volumes/";
  fs::create_directories(folder + ".old-1/_data/deep");
  std::ofstream(folder + ".old-1/lock") << "";
  REQUIRE(store.create(named("orphan", true), std::string(64, 'b')));
  REQUIRE(store.create(named("mine", true), kId));
  REQUIRE(store.create(named("free", true), std::string(64, 'c')));
  store.disown("free");
  make_container(root, kId, "mine", true);
  {
    const auto held = FileLock::acquire(store.fd(), ".old-1/lock", FileLock::Kind::kExclusive);
    REQUIRE(held);
    store.sweep();
    CHECK(fs::exists(folder + ".old-1"));
  }
  store.sweep();
  CHECK_FALSE(fs::exists(folder + ".old-1"));
  CHECK_FALSE(fs::exists(folder + "orphan"));
  CHECK(fs::exists(folder + "mine"));
  CHECK(fs::exists(folder + "free"));
}

TEST_CASE("a volume is measured") {
  const TemporaryDir root;
  const VolumeStore store = VolumeStore::open(root.path).value();
  REQUIRE(store.create(named("data")));
  std::ofstream(store.data_path("data") + "/file") << std::string(100'000, 'x');
  const auto sizes = sbx::runtime::volume_sizes(store, {"data", "data"});
  REQUIRE(sizes);
  CHECK(sizes->size() == 2);
  CHECK(sizes->front() >= 100'000);
  CHECK(sizes->front() == sizes->back());
}
