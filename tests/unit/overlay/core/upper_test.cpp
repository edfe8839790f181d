#include "overlay/core/upper.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "../fixture.hpp"
#include "../memory_lower.hpp"

namespace sbx::overlay::test {

namespace {

Model small_tree() {
  Model model;
  const ModelRef dir = make_model_node(S_IFDIR | 0755, {10, 20});
  (void)Model::create(*model.root(), "dir", dir);
  (void)Model::create(*dir, "file", make_model_node(S_IFREG | 04755, {30, 40}, "content"));
  return model;
}

}  // namespace

TEST_CASE("what lies in the upper directory is what other tools expect", "[upper]") {
  const Scratch scratch;
  const std::string upper = scratch.path() + "/upper";
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  struct stat st {};

  AttrChange change;
  change.set_mode = true;
  change.mode = 04711;
  {
    auto file = walk(*overlay, path_of("dir/file"));
    REQUIRE(overlay->set_attr(file->id(), change));
  }
  REQUIRE(::lstat((upper + "/dir/file").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);  // never set-user-id on disk
  CHECK(st.st_uid == ::geteuid());
  CHECK(stored_mark(scratch, "dir/file", "user.containers.override_stat") == "30:40:04711");
  CHECK(stored_mark(scratch, "dir/file", "user.overlay.metacopy").empty());
  CHECK(stored_mark(scratch, "dir", "user.containers.override_stat") == "10:20:0755");

  REQUIRE(overlay->rename(kRootNode, "dir", kRootNode, "moved", 0));
  CHECK(stored_mark(scratch, "moved", "user.overlay.redirect") == "/dir");
  REQUIRE(::lstat((upper + "/dir").c_str(), &st) == 0);
  CHECK(S_ISCHR(st.st_mode));
  CHECK(st.st_rdev == 0);

  const auto made = overlay->make_dir(kRootNode, "dir", 0750, {{1, 2}});
  REQUIRE(made);
  overlay->forget(made->id, 1);
  CHECK(stored_mark(scratch, "dir", "user.overlay.opaque") == "y");
  REQUIRE(::lstat((upper + "/dir").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);

  const auto fifo = overlay->make_node(kRootNode, "fifo", S_IFIFO | 0640, 0, {{1, 2}});
  overlay->forget(fifo->id, 1);
  CHECK(stored_mark(scratch, "fifo", "user.containers.override_stat") == "1:2:0640:pipe");
}

TEST_CASE("whiteouts in the xattr form are understood", "[upper]") {
  const Scratch scratch;
  (void)make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  (void)scratch.dir("upper/dir");
  const std::string dir = scratch.path() + "/upper/dir";
  const sys::Fd file(::open((dir + "/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  store_mark(scratch, "dir", "user.overlay.opaque", "x");
  store_mark(scratch, "dir/file", "user.overlay.whiteout", "y");
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  CHECK(walk(*overlay, path_of("dir/file")).error() == Errno(ENOENT));
  auto held = walk(*overlay, path_of("dir"));
  CHECK(list_all(*overlay, held->id(), ListKind::kPlain).empty());
}

TEST_CASE("work left by a server that was killed is cleaned up", "[upper]") {
  const Scratch scratch;
  (void)scratch.dir("work/d-3/sub");
  const sys::Fd file(
      ::open((scratch.path() + "/work/c-1").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(Model()));
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path() + "/work")) {
    const std::string name = entry.path().filename();
    left += name == "whiteout" || name == "marks" ? 0U : 1U;
  }
  CHECK(left == 0);
}

TEST_CASE("attributes that cannot be read are not taken for none", "[upper]") {
  const Scratch scratch;
  {
    auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
    AttrChange change;
    change.set_mode = true;
    change.mode = 0711;
    auto file = walk(*overlay, path_of("dir/file"));
    REQUIRE(overlay->set_attr(file->id(), change));
  }
  // Their names, their values; of side files all of that is a link to read.
  for (const int call : {SYS_flistxattr, SYS_fgetxattr, SYS_readlinkat}) {
    CAPTURE(call);
    const bool in_files = !UpperKind::of_environment().has.xattrs;
    const bool concerned = (call == SYS_readlinkat) == in_files;
    const int said = in_child([&] {
      auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
      if (!refuse_calls({call}, EIO)) {
        return 100;
      }
      const auto file = walk(*overlay, path_of("dir/file"));
      return file ? 0 : file.error().value();
    });
    CHECK(said == (concerned ? EIO : 0));
  }
  // What was said of the file is still there.
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  auto file = walk(*overlay, path_of("dir/file"));
  REQUIRE(file);
  CHECK(overlay->get_attr(file->id())->mode == (S_IFREG | 0711));
  CHECK(overlay->get_attr(file->id())->owner == Owner{30, 40});
}

TEST_CASE("a directory left half changed waits until it can be read", "[upper]") {
  const Scratch scratch;
  (void)make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  store_mark(scratch, ".", "user.sbx.hidden", "dir");
  CHECK(in_child([&] {
          auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
          if (!refuse_calls({SYS_fgetxattr, SYS_readlinkat}, EIO)) {
            return 100;
          }
          const auto found = walk(*overlay, path_of("dir"));
          return found ? 0 : found.error().value();
        }) == EIO);
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  CHECK(walk(*overlay, path_of("dir")).error() == Errno(ENOENT));
  CHECK(stored_mark(scratch, ".", "user.sbx.hidden") == "none");
}

TEST_CASE("a directory copied by hand is refused, not mixed up", "[upper]") {
  const Scratch scratch;
  {
    auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
    REQUIRE(overlay->rename(kRootNode, "dir", kRootNode, "one", 0));
  }
  (void)scratch.dir("upper/two");
  store_mark(scratch, "two", "user.overlay.redirect", "/dir");
  auto overlay = make_overlay(scratch, std::make_unique<MemoryLower>(small_tree()));
  const auto one = walk(*overlay, path_of("one"));
  REQUIRE(one);
  CHECK(walk(*overlay, path_of("two")).error() == Errno(EIO));
}

TEST_CASE("without an upper directory nothing can be changed", "[upper]") {
  Overlay::Options options;
  options.lower = std::make_unique<MemoryLower>(small_tree());
  options.ids = all_ids();
  auto overlay = Overlay::make(std::move(options)).value();
  auto file = walk(*overlay, path_of("dir/file"));
  REQUIRE(file);
  CHECK(read_all(*overlay, file->id()) == "content");
  CHECK(overlay->write(file->id(), 0, {}, false).error() == Errno(EROFS));
  CHECK(overlay->set_attr(file->id(), {}).error() == Errno(EROFS));
  CHECK(overlay->make_dir(kRootNode, "x", 0755, {}).error() == Errno(EROFS));
  CHECK(overlay->unlink(kRootNode, "dir").error() == Errno(EROFS));
  CHECK(overlay->rename(kRootNode, "dir", kRootNode, "x", 0).error() == Errno(EROFS));
}

}  // namespace sbx::overlay::test
