#include "runtime/container_dir.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>

#include "sys/file.hpp"

using sbx::ErrorCode;
using sbx::runtime::ContainerDir;
using sbx::runtime::DataRoot;
using sbx::runtime::sweep_containers;
namespace fs = std::filesystem;

namespace {

struct TemporaryRoot {
  std::string path = (fs::temp_directory_path() / "sbx-container-XXXXXX").string();
  TemporaryRoot() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~TemporaryRoot() { fs::remove_all(path); }
};

sbx::runtime::ContainerState description(const std::string& id, const std::string& name,
                                         bool remove) {
  sbx::runtime::ContainerState state;
  state.id = id;
  state.name = name;
  state.image = "image";
  state.command = {"cmd"};
  state.remove = remove;
  return state;
}

}  // namespace

TEST_CASE("a container has its directories and frees its name with its end") {
  const TemporaryRoot temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  ContainerDir container = ContainerDir::create(root, description("one", "name", true)).value();
  CHECK(fs::is_directory(temporary.path + "/containers/one/upper"));
  CHECK(fs::read_symlink(temporary.path + "/names/name") == "one");
  REQUIRE(container.write_running({}));
  REQUIRE(container.remove());
  CHECK(fs::is_empty(temporary.path + "/containers"));
  CHECK(fs::is_empty(temporary.path + "/names"));
}

TEST_CASE("a taken name leaves nothing of the second container") {
  const TemporaryRoot temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  const ContainerDir first = ContainerDir::create(root, description("one", "name", false)).value();
  const auto second = ContainerDir::create(root, description("two", "name", false));
  CHECK(second.error().code == ErrorCode::kAlreadyExists);
  CHECK_FALSE(fs::exists(temporary.path + "/containers/two"));
  CHECK(fs::read_symlink(temporary.path + "/names/name") == "one");
}

TEST_CASE("a container is made although others sweep at the same moment") {
  const TemporaryRoot temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  std::jthread sweeper([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      sweep_containers(root);
    }
  });
  for (int i = 0; i < 300; ++i) {
    ContainerDir container =
        ContainerDir::create(root, description("c" + std::to_string(i), "", true)).value();
    REQUIRE(container.write_running({}));
    REQUIRE(container.remove());
  }
}

TEST_CASE("the sweep leaves the living and the kept, and takes what killed processes left") {
  const TemporaryRoot temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  ContainerDir alive = ContainerDir::create(root, description("alive", "", true)).value();
  REQUIRE(alive.mark_for_removal());
  REQUIRE(alive.write_running({}));
  {
    ContainerDir killed =
        ContainerDir::create(root, description("killed", "killed-name", true)).value();
    REQUIRE(killed.mark_for_removal());
    REQUIRE(killed.write_running({}));
    fs::create_directories(killed.path() + "/upper/locked/inner");
    REQUIRE(::chmod((killed.path() + "/upper/locked").c_str(), 0) == 0);
    const ContainerDir unfinished =
        ContainerDir::create(root, description("unfinished", "", false)).value();
    ContainerDir kept = ContainerDir::create(root, description("kept", "kept-name", false)).value();
    REQUIRE(kept.write_exited(0));
  }
  sweep_containers(root);
  CHECK(fs::exists(temporary.path + "/containers/alive"));
  CHECK(fs::exists(temporary.path + "/containers/kept"));
  CHECK(fs::exists(fs::symlink_status(temporary.path + "/names/kept-name")));
  CHECK_FALSE(fs::exists(temporary.path + "/containers/killed"));
  CHECK_FALSE(fs::exists(fs::symlink_status(temporary.path + "/names/killed-name")));
  CHECK_FALSE(fs::exists(temporary.path + "/containers/unfinished"));
}

TEST_CASE("a container that is just being made is not swept away") {
  const TemporaryRoot temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  fs::create_directory(temporary.path + "/containers/newborn");
  sweep_containers(root);
  CHECK(fs::exists(temporary.path + "/containers/newborn"));
}

TEST_CASE("a container is opened by one process at a time, and leaves its exit code in its lock") {
  const TemporaryRoot temporary;
  const DataRoot root = DataRoot::open(temporary.path).value();
  {
    ContainerDir made = ContainerDir::create(root, description("one", "name", true)).value();
    REQUIRE(made.write_created());
    CHECK(ContainerDir::open(root, "one").error().code == ErrorCode::kBusy);
  }
  sweep_containers(root);  // created to be removed at its end, which has not come
  ContainerDir container = ContainerDir::open(root, "one").value();
  CHECK(container.state().name == "name");
  const auto lock = sbx::sys::open_at(container.fd(), "lock", O_RDONLY);
  CHECK_FALSE(sbx::runtime::read_exit_note(lock->get()));
  REQUIRE(container.write_exited(137));
  REQUIRE(container.write_exited(3));
  REQUIRE(container.remove());
  CHECK(sbx::runtime::read_exit_note(lock->get()) == 3);
  CHECK(ContainerDir::open(root, "one").error().code == ErrorCode::kNotFound);
}
