#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "../fixture.hpp"
#include "../memory_lower.hpp"
#include "overlay/core/upper.hpp"

namespace sbx::overlay::test {

namespace {

namespace fs = std::filesystem;

Result<std::unique_ptr<Upper>> open_upper(const Scratch& scratch, const char* kind,
                                          UpperForm form = UpperForm::kOwn) {
  Upper::Options options;
  options.form = form;
  options.allowed = UpperKind::named(kind).allowed;
  return Upper::open(scratch.dir("upper"), scratch.dir("work"), options);
}

Model tree() {
  Model model;
  const ModelRef dir = make_model_node(S_IFDIR | 0755, {10, 20});
  (void)Model::create(*model.root(), "dir", dir);
  const ModelRef file = make_model_node(S_IFREG | 0644, {30, 40}, "content");
  (void)Model::create(*dir, "file", file);
  (void)Model::link(file, *dir, "second");
  return model;
}

std::unique_ptr<Overlay> overlay_of(const Scratch& scratch, const char* kind) {
  return make_overlay(scratch, std::make_unique<MemoryLower>(tree()), all_ids(), 1 << 20U,
                      UpperKind::named(kind));
}

FsResult<void> write(Overlay& overlay, const char* path, std::string_view text) {
  const Held file = SBX_TRY(walk(overlay, path_of(path)));
  return overlay.write(file.id(), 0, std::as_bytes(std::span(text)), false);
}

std::string content(Overlay& overlay, const char* path) {
  auto file = walk(overlay, path_of(path));
  return file ? read_all(overlay, file->id()) : "none";
}

}  // namespace

TEST_CASE("a disk that can all is used so, and nothing of a trial is left", "[upper]") {
  const Scratch scratch;
  const auto upper = open_upper(scratch, "xattrs");
  REQUIRE(upper);
  const Abilities& can = (*upper)->can();
  CHECK(can.xattrs);
  CHECK(can.links);
  CHECK(can.exchange);
  CHECK(can.no_replace);
  CHECK(can.removes_in_use);
  CHECK_FALSE((*upper)->marks().in_files());
  CHECK(fs::is_empty(scratch.path() + "/upper"));
  CHECK_FALSE(fs::exists(scratch.path() + "/work/marks"));
  CHECK_FALSE(fs::exists(scratch.path() + "/work/trial"));
}

TEST_CASE("without xattrs the same is found out by trying", "[upper]") {
  const Scratch scratch;
  const auto upper = open_upper(scratch, "side-files");
  REQUIRE(upper);
  const Abilities& can = (*upper)->can();
  CHECK_FALSE(can.xattrs);
  CHECK(can.links);
  CHECK(can.exchange);
  CHECK(can.no_replace);
  CHECK(can.removes_in_use);
  CHECK((*upper)->marks().in_files());
  CHECK(fs::is_empty(scratch.path() + "/upper"));
  CHECK_FALSE(fs::exists(scratch.path() + "/work/trial"));
}

TEST_CASE("what has side files keeps them, whatever the disk has learnt", "[upper]") {
  const Scratch scratch;
  {
    auto overlay = overlay_of(scratch, "side-files");
    REQUIRE(write(*overlay, "dir/file", "CON"));
  }
  // As after an update of the kernel: tmpfs has user xattrs since Linux 6.6.
  auto overlay = overlay_of(scratch, "xattrs");
  CHECK(content(*overlay, "dir/second") == "CONtent");
  const auto dir = walk(*overlay, path_of("dir"));
  REQUIRE(dir);
  CHECK(overlay->get_attr(dir->id()).value().owner == Owner{10, 20});
}

TEST_CASE("side files that are of other files are refused", "[upper]") {
  const Scratch scratch;
  {
    auto overlay = overlay_of(scratch, "side-files");
    REQUIRE(write(*overlay, "dir/file", "CON"));
  }
  SECTION("the container was copied") {
    fs::rename(scratch.path() + "/upper", scratch.path() + "/old");
    fs::copy(scratch.path() + "/old", scratch.path() + "/upper", fs::copy_options::recursive);
    const auto upper = open_upper(scratch, "side-files");
    REQUIRE_FALSE(upper);
    CHECK(upper.error().code == ErrorCode::kUnsupported);
    CHECK(upper.error().message().find("copied") != std::string::npos);
  }
  SECTION("the work directory was lost") {
    fs::remove_all(scratch.path() + "/work");
    const auto upper = open_upper(scratch, "side-files");
    REQUIRE_FALSE(upper);
    CHECK(upper.error().message().find("lost") != std::string::npos);
  }
}

TEST_CASE("a start that was killed before there was anything begins again", "[upper]") {
  const Scratch scratch;
  REQUIRE(open_upper(scratch, "side-files"));
  SECTION("before the side files were anybody's") {
    fs::remove(scratch.path() + "/work/marks/form");
  }
  SECTION("in the middle of a trial") {
    fs::create_directories(scratch.path() + "/work/trial/dir");
    std::ofstream{scratch.path() + "/work/trial/a"};
  }
  CHECK(open_upper(scratch, "side-files"));
}

TEST_CASE("forms that others read have no side files", "[upper]") {
  const Scratch scratch;
  const auto upper = open_upper(scratch, "side-files", UpperForm::kOverride);
  REQUIRE(upper);
  CHECK_FALSE((*upper)->marks().in_files());
}

TEST_CASE("without hard links each name of an image's file is a file", "[upper]") {
  const Scratch scratch;
  {
    auto overlay = overlay_of(scratch, "bare");
    auto file = walk(*overlay, path_of("dir/file"));
    auto second = walk(*overlay, path_of("dir/second"));
    REQUIRE(file);
    REQUIRE(second);
    const Attr one = overlay->get_attr(file->id()).value();
    const Attr two = overlay->get_attr(second->id()).value();
    CHECK(one.nlink == 1);
    CHECK(one.ino != two.ino);
    REQUIRE(write(*overlay, "dir/second", "CON"));
    CHECK(overlay->link(file->id(), kRootNode, "third").error() == Errno(EPERM));
    CHECK(overlay->rename(kRootNode, "dir", kRootNode, "none", 2).error() == Errno(ENOENT));
  }
  auto overlay = overlay_of(scratch, "bare");
  CHECK(content(*overlay, "dir/file") == "content");
  CHECK(content(*overlay, "dir/second") == "CONtent");
}

TEST_CASE("a change in several steps that was cut short shows nothing of the lower tree",
          "[upper]") {
  const Scratch scratch;
  {
    auto overlay = overlay_of(scratch, "bare");
    REQUIRE(overlay->rename(kRootNode, "dir", kRootNode, "moved", 0));
  }
  // Killed after the rename, before the whiteout.
  fs::remove(scratch.path() + "/upper/dir");
  store_mark(scratch, "", "user.sbx.hidden", "dir/moved/../.");
  {
    auto overlay = overlay_of(scratch, "bare");
    CHECK(walk(*overlay, path_of("dir")).error() == Errno(ENOENT));
    CHECK(content(*overlay, "moved/file") == "content");
  }
  CHECK(stored_mark(scratch, "", "user.sbx.hidden") == "none");
  CHECK(fs::exists(scratch.path() + "/upper/dir"));
  auto overlay = overlay_of(scratch, "bare");
  CHECK(walk(*overlay, path_of("dir")).error() == Errno(ENOENT));
}

TEST_CASE("a file whose side file is damaged is an error, and no other is", "[upper]") {
  const Scratch scratch;
  {
    auto overlay = overlay_of(scratch, "side-files");
    REQUIRE(write(*overlay, "dir/file", "CON"));
    REQUIRE(overlay->make_node(kRootNode, "other", S_IFREG | 0640, 0, {{1, 2}}));
  }
  struct stat st {};
  REQUIRE(::lstat((scratch.path() + "/upper/other").c_str(), &st) == 0);
  const std::string side = scratch.path() + "/work/marks/" + std::to_string(st.st_ino);
  fs::remove(side);
  fs::create_symlink("1nonsense", side);
  auto overlay = overlay_of(scratch, "side-files");
  CHECK(walk(*overlay, path_of("other")).error() == Errno(EIO));
  CHECK(content(*overlay, "dir/file") == "CONtent");
}

TEST_CASE("side files that cannot be read are not taken for none", "[upper]") {
  const Scratch scratch;
  REQUIRE(write(*overlay_of(scratch, "side-files"), "dir/file", "CON"));
  // "xattrs": the file system could do without side files now.
  CHECK(in_child([&] {
          return !refuse_calls({SYS_readlinkat}, EIO) ? 100 : open_upper(scratch, "xattrs") ? 1 : 0;
        }) == 0);
  CHECK(content(*overlay_of(scratch, "xattrs"), "dir/file") == "CONtent");
}

TEST_CASE("what is still in use in the work directory goes at the next start", "[upper]") {
  const Scratch scratch;
  for (const char* left : {"work/d-0", "work/trial/in-use"}) {
    (void)scratch.dir(left);
    std::ofstream{scratch.path() + "/" + left + "/.nfs000000000000000100000001"} << "open";
  }
  CHECK(in_child([&] {
          if (!refuse_calls({SYS_unlinkat}, EBUSY)) {
            return 100;
          }
          const auto upper = open_upper(scratch, "xattrs");
          return !upper ? 1 : fs::exists(scratch.path() + "/work/" + (*upper)->work_name("d"));
        }) == 0);
  CHECK(fs::exists(scratch.path() + "/work/d-0"));
  REQUIRE(open_upper(scratch, "side-files"));
  for (const auto& entry : fs::directory_iterator(scratch.path() + "/work")) {
    CHECK((entry.path().filename() == "whiteout" || entry.path().filename() == "marks"));
  }
}

TEST_CASE("upper directories on a tmpfs work, with and without its xattrs", "[upper]") {
  struct statfs system {};
  if (::statfs("/dev/shm", &system) != 0 || system.f_type != TMPFS_MAGIC ||
      ::access("/dev/shm", W_OK) != 0) {
    WARN("no tmpfs at /dev/shm");
    return;
  }
  for (const char* kind : {"xattrs", "side-files"}) {
    CAPTURE(kind);
    const Scratch scratch("/dev/shm");
    {
      auto overlay = overlay_of(scratch, kind);
      REQUIRE(write(*overlay, "dir/file", "CON"));
      REQUIRE(overlay->rename(kRootNode, "dir", kRootNode, "moved", 0));
    }
    auto overlay = overlay_of(scratch, kind);
    CHECK(content(*overlay, "moved/second") == "CONtent");
    CHECK(walk(*overlay, path_of("dir")).error() == Errno(ENOENT));
  }
}

}  // namespace sbx::overlay::test
