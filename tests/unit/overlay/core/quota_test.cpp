#include "overlay/core/quota.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <random>

#include "fixture.hpp"
#include "memory_lower.hpp"

namespace sbx::overlay {
namespace {

using namespace test;

constexpr std::uint64_t kMiB = 1U << 20U;

std::unique_ptr<Overlay> limited(const Scratch& scratch, QuotaLimits limits,
                                 const Model& lower = Model(), const char* kind = "xattrs") {
  Overlay::Options options;
  options.lower = std::make_unique<MemoryLower>(lower);
  options.upper = open_upper(scratch, UpperKind::named(kind));
  options.ids = all_ids();
  options.durability = Durability::kVolatile;
  options.quota = limits;
  return Overlay::make(std::move(options)).value();
}

const Caller kRoot{{0, 0}};

FsResult<Held> make_file(Overlay& overlay, const std::string& name) {
  const Entry entry = SBX_TRY(overlay.make_node(kRootNode, Name(name), S_IFREG | 0644, 0, kRoot));
  return Held(overlay, entry.id);
}

FsResult<void> fill(Overlay& overlay, NodeId id, std::uint64_t offset, std::size_t size) {
  return overlay.write(id, offset, std::vector<std::byte>(size, std::byte{'x'}), false);
}

/// 512-byte blocks that are free, as df(1) would say.
std::uint64_t free_bytes(Overlay& overlay) {
  const auto st = overlay.stat_fs().value();
  return st.f_bfree * st.f_frsize;
}

TEST_CASE("beyond the quota writes get ENOSPC, and what is removed is given back") {
  const Scratch scratch;
  const auto overlay = limited(scratch, {8 * kMiB, 0});
  const std::uint64_t at_first = free_bytes(*overlay);
  CHECK(at_first <= 8 * kMiB);
  {
    const Held file = make_file(*overlay, "a").value();
    for (std::uint64_t i = 0; i < 7; ++i) {
      REQUIRE(fill(*overlay, file.id(), i * kMiB, kMiB));
    }
    CHECK(free_bytes(*overlay) <= kMiB);
    CHECK(fill(*overlay, file.id(), 7 * kMiB, 2 * kMiB).error() == Errno(ENOSPC));
    CHECK(overlay->get_attr(file.id())->size == 7 * kMiB);
    REQUIRE(fill(*overlay, file.id(), 0, kMiB));  // again: takes nothing
    // In use without a name it still takes its room.
    REQUIRE(overlay->unlink(kRootNode, Name("a")));
    CHECK(free_bytes(*overlay) <= kMiB);
  }
  CHECK(free_bytes(*overlay) == at_first);
}

TEST_CASE("holes cost nothing, filling them does") {
  const Scratch scratch;
  const auto overlay = limited(scratch, {2 * kMiB, 0});
  const Held file = make_file(*overlay, "a").value();
  AttrChange grow;
  grow.set_size = true;
  grow.size = 1000 * kMiB;
  REQUIRE(overlay->set_attr(file.id(), grow));
  REQUIRE(fill(*overlay, file.id(), 500 * kMiB, kMiB));
  CHECK(fill(*overlay, file.id(), 100 * kMiB, kMiB).error() == Errno(ENOSPC));
  CHECK(overlay->allocate(file.id(), 0, 0, 10 * kMiB).error() == Errno(ENOSPC));
  grow.size = 0;
  REQUIRE(overlay->set_attr(file.id(), grow));
  CHECK(fill(*overlay, file.id(), 100 * kMiB, kMiB));
}

TEST_CASE("the number of files has a limit of its own") {
  const Scratch scratch;
  const auto overlay = limited(scratch, {0, 3});
  for (const char* name : {"a", "b"}) {
    REQUIRE(make_file(*overlay, name));
  }
  REQUIRE(overlay->make_dir(kRootNode, Name("d"), 0755, kRoot));
  CHECK(make_file(*overlay, "c").error() == Errno(ENOSPC));
  CHECK(overlay->make_dir(kRootNode, Name("e"), 0755, kRoot).error() == Errno(ENOSPC));
  CHECK(overlay->make_unnamed(kRootNode, 0644, kRoot).error() == Errno(ENOSPC));
  CHECK(make_file(*overlay, "a").error() == Errno(EEXIST));  // costs nothing
  CHECK(overlay->stat_fs()->f_ffree == 0);
  // A second name is no second file.
  const Held a = walk(*overlay, path_of("a")).value();
  REQUIRE(overlay->link(a.id(), kRootNode, Name("again")));
  REQUIRE(overlay->unlink(kRootNode, Name("again")));
  CHECK(make_file(*overlay, "c").error() == Errno(ENOSPC));
  REQUIRE(overlay->unlink(kRootNode, Name("b")));
  CHECK(make_file(*overlay, "c"));
  CHECK(overlay->rename(kRootNode, Name("c"), kRootNode, Name("a"), 0));
  CHECK(overlay->stat_fs()->f_ffree == (0U));  // the replaced one is in use
}

TEST_CASE("what lies in the upper directory already counts") {
  const Scratch scratch;
  {
    const auto overlay = limited(scratch, {});
    const Held file = make_file(*overlay, "a").value();
    REQUIRE(fill(*overlay, file.id(), 0, 3 * kMiB));
    REQUIRE(overlay->link(file.id(), kRootNode, Name("b")));
  }
  const auto overlay = limited(scratch, {4 * kMiB, 1});
  CHECK(make_file(*overlay, "c").error() == Errno(ENOSPC));
  {
    const Held file = walk(*overlay, path_of("a")).value();
    CHECK(fill(*overlay, file.id(), 3 * kMiB, 2 * kMiB).error() == Errno(ENOSPC));
    REQUIRE(overlay->unlink(kRootNode, Name("a")));
    CHECK(make_file(*overlay, "c").error() == Errno(ENOSPC));
    REQUIRE(overlay->unlink(kRootNode, Name("b")));
  }
  CHECK(make_file(*overlay, "c"));
  CHECK(free_bytes(*overlay) == 4 * kMiB);
}

TEST_CASE("a copy that gets no name costs nothing") {
  Model lower;
  const ModelRef dir = make_model_node(S_IFDIR | 0755, {});
  const ModelRef linked = make_model_node(S_IFREG | 0644, {}, "linked");
  (void)Model::create(*lower.root(), "dir", dir);
  (void)Model::create(*dir, "file", make_model_node(S_IFREG | 0644, {}, "content"));
  (void)Model::create(*dir, "one", linked);
  (void)Model::link(linked, *dir, "two");
  AttrChange change;
  change.set_mode = true;
  change.mode = 0700;
  for (const char* kind : {"xattrs", "side-files", "bare"}) {
    CAPTURE(kind);
    const Scratch scratch;
    const auto overlay = limited(scratch, {64 * kMiB, 100}, lower, kind);
    const std::uint64_t files = overlay->stat_fs()->f_ffree;
    const std::uint64_t bytes = free_bytes(*overlay);
    // Something that the server does not know of lies where the copy is to have its name.
    const Held held = walk(*overlay, path_of("dir")).value();
    REQUIRE(list_all(*overlay, kRootNode, ListKind::kPlain).size() == 1);
    std::filesystem::create_directories(scratch.path() + "/upper/dir/in");
    CHECK_FALSE(overlay->set_attr(held.id(), change));
    CHECK(overlay->stat_fs()->f_ffree == files);
    std::filesystem::remove_all(scratch.path() + "/upper/dir");
    REQUIRE(overlay->set_attr(held.id(), change));
    CHECK(overlay->stat_fs()->f_ffree == files - 1);
    const std::uint64_t bytes_then = free_bytes(*overlay);
    CHECK(bytes_then < bytes);
    for (const char* name : {"file", "one", "two"}) {
      std::filesystem::create_directories(scratch.path() + "/upper/dir/" + name + "/in");
      const auto file = overlay->lookup(held.id(), Name(std::string(name)));
      const bool failed = !file || !overlay->set_attr(file->id, change);
      CHECK(failed);
      if (file && file->id != NodeId(0)) {
        overlay->forget(file->id, 1);
      }
      CHECK(overlay->stat_fs()->f_ffree == files - 1);
      CHECK(free_bytes(*overlay) == bytes_then);
      std::filesystem::remove_all(scratch.path() + "/upper/dir/" + name);
    }
    // Nothing waits in the work directory but what always is there.
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path() + "/work")) {
      CHECK((entry.path().filename() == "whiteout" || entry.path().filename() == "marks"));
    }
    const auto file = walk(*overlay, path_of("dir/file"));
    REQUIRE(overlay->set_attr(file->id(), change));
    CHECK(overlay->stat_fs()->f_ffree == files - 2);
  }
}

TEST_CASE("making and removing for ever gains and loses nothing") {
  const Scratch scratch;
  const auto overlay = limited(scratch, {64 * kMiB, 1000});
  const std::uint64_t at_first = free_bytes(*overlay);
  std::mt19937 random(7);  // NOLINT: the same each time
  for (int round = 0; round < 300; ++round) {
    const std::string name = "f" + std::to_string(random() % 8);
    if (const auto made = make_file(*overlay, name)) {
      (void)fill(*overlay, made->id(), random() % 100'000, random() % 300'000);
      if (random() % 4 == 0) {
        if (const auto link =
                overlay->make_symlink(kRootNode, Name("l" + name), "target", {{7, 7}})) {
          const Held held(*overlay, link->id);
        }
      }
      continue;
    }
    if (random() % 2 == 0) {
      (void)overlay->rename(kRootNode, Name(name), kRootNode, Name("f9"), 0);
    } else {
      (void)overlay->unlink(kRootNode, Name(name));
      (void)overlay->unlink(kRootNode, Name("l" + name));
    }
  }
  for (const std::string stem : {"f", "lf"}) {
    for (int i = 0; i < 10; ++i) {
      (void)overlay->unlink(kRootNode, Name(stem + std::to_string(i)));
    }
  }
  CHECK(free_bytes(*overlay) == at_first);
  CHECK(overlay->stat_fs()->f_ffree == 1000);
}

}  // namespace
}  // namespace sbx::overlay
