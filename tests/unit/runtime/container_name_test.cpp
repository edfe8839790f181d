#include "runtime/container_name.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "runtime/container_dir.hpp"

using sbx::ErrorCode;
using sbx::runtime::check_container_name;
using sbx::runtime::ContainerDir;
using sbx::runtime::current_name;
using sbx::runtime::DataRoot;
using sbx::runtime::rename_container;
namespace fs = std::filesystem;

namespace {

struct Place {
  std::string path = (fs::temp_directory_path() / "sbx-name-XXXXXX").string();
  std::optional<DataRoot> root;
  Place() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    root = DataRoot::open(path).value();
  }
  ~Place() { fs::remove_all(path); }

  [[nodiscard]] ContainerDir make(const std::string& id, const std::string& name) const {
    sbx::runtime::ContainerState state;
    state.id = id;
    state.name = name;
    ContainerDir out = ContainerDir::create(*root, state).value();
    REQUIRE(out.write_created());
    return out;
  }
  [[nodiscard]] std::string owner(const std::string& name) const {
    std::error_code none;
    return fs::read_symlink(path + "/names/" + name, none).string();
  }
};

}  // namespace

TEST_CASE("names are as docker's") {
  CHECK(check_container_name("a.B-9_"));
  for (const char* bad : {"", "-a", ".a", "_a", "a/b", "a b", "ä"}) {
    CHECK_FALSE(check_container_name(bad));
  }
  CHECK(check_container_name(std::string(128, 'a')));
  CHECK_FALSE(check_container_name(std::string(129, 'a')));
}

TEST_CASE("a renamed container has its new name only, also for who holds it") {
  const Place place;
  ContainerDir one = place.make("one", "old");
  REQUIRE(rename_container(place.path, "one", "new"));
  CHECK(place.owner("new") == "one");
  CHECK(place.owner("old").empty());
  CHECK(current_name(place.root->containers(), "one", "old") == "new");
  REQUIRE(one.write_exited(0));  // its supervisor knows the old name
  CHECK(current_name(place.root->containers(), "one", "old") == "new");
  const ContainerDir two = place.make("two", "old");
  REQUIRE(rename_container(place.path, "one", "third"));
  CHECK(place.owner("old") == "two");
  REQUIRE(one.remove());
  CHECK(place.owner("third").empty());
}

TEST_CASE("a name that is taken stays where it is") {
  const Place place;
  const ContainerDir one = place.make("one", "first");
  const ContainerDir two = place.make("two", "second");
  CHECK(rename_container(place.path, "one", "second").error().code == ErrorCode::kAlreadyExists);
  CHECK(rename_container(place.path, "one", "first").error().code == ErrorCode::kAlreadyExists);
  CHECK(place.owner("first") == "one");
  CHECK(place.owner("second") == "two");
  CHECK(rename_container(place.path, "nobody", "x").error().code == ErrorCode::kNotFound);
  CHECK(place.owner("x").empty());
}

TEST_CASE("what a killed rename left does not keep a name from others") {
  const Place place;
  const ContainerDir one = place.make("one", "first");
  fs::create_symlink("one", place.path + "/names/wanted");  // killed before it said so of itself
  fs::create_symlink("gone", place.path + "/names/lost");   // and its container is removed since
  const ContainerDir two = place.make("two", "wanted");
  CHECK(place.owner("wanted") == "two");
  REQUIRE(rename_container(place.path, "two", "lost"));
  CHECK(place.owner("lost") == "two");
  CHECK(place.owner("first") == "one");
}

TEST_CASE("a container without a name gets a free one") {
  const Place place;
  sbx::runtime::ContainerState state;
  state.id = "same";
  const std::string first = ContainerDir::create(*place.root, state).value().state().name;
  CHECK_FALSE(first.empty());
  CHECK(place.owner(first) == "same");
  fs::remove_all(place.path + "/containers/same");
  fs::remove(place.path + "/names/" + first);
  const ContainerDir other = place.make("other", first);
  CHECK(ContainerDir::create(*place.root, state).value().state().name != first);
}
