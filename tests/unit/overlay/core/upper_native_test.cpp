#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "../fixture.hpp"
#include "overlay/core/lower_dir.hpp"
#include "overlay/core/upper.hpp"

namespace sbx::overlay::test {

namespace {

/// An overlay of the directories "lower", "upper" and "work", as sbx-overlay makes one. Owners are ours: no test needs others.
class Native {
 public:
  explicit Native(UpperForm form = UpperForm::kNative) : form_(form) {
    (void)scratch_.dir("lower/dir/sub");
    put("lower/file", "lower content");
    put("lower/dir/inner", "inner");
    REQUIRE(::symlink("file", at("lower/link").c_str()) == 0);
    REQUIRE(::link(at("lower/file").c_str(), at("lower/second").c_str()) == 0);
    open();
  }

  void open() {
    overlay_.reset();
    std::vector<sys::Fd> roots;
    roots.push_back(scratch_.dir("lower"));
    Overlay::Options options;
    options.lower = LowerDir::stack(std::move(roots), {false, {}, 8}).value();
    options.upper =
        Upper::open(scratch_.dir("upper"), scratch_.dir("work"), {form_, false}).value();
    options.ids = IdView::mapped({});
    options.open_files = 8;
    overlay_ = Overlay::make(std::move(options)).value();
  }

  void put(const std::string& path, const std::string& text) const {
    std::ofstream(at(path)) << text;
  }
  [[nodiscard]] std::string at(const std::string& path) const {
    return scratch_.path() + "/" + path;
  }
  [[nodiscard]] struct stat on_disk(const std::string& path) const {
    struct stat st {};
    REQUIRE(::lstat(at("upper/" + path).c_str(), &st) == 0);
    return st;
  }
  [[nodiscard]] bool absent(const std::string& path) const {
    struct stat st {};
    return ::lstat(at("upper/" + path).c_str(), &st) != 0;
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    std::ifstream file(at("upper/" + path));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string mark(const std::string& path, const char* name) const {
    char value[100] = {};
    const ssize_t size = ::lgetxattr(at("upper/" + path).c_str(), name, value, sizeof(value));
    return size < 0 ? "none" : std::string(value, static_cast<std::size_t>(size));
  }
  Overlay& operator*() { return *overlay_; }
  Overlay* operator->() { return overlay_.get(); }

  /// A new file of any type, forgotten by the kernel at once.
  int make(NodeId dir, const std::string& name, std::uint32_t mode, std::uint64_t rdev = 0) {
    const auto made = S_ISDIR(mode) ? overlay_->make_dir(dir, name, mode, me())
                                    : overlay_->make_node(dir, name, mode, rdev, me());
    if (!made) {
      return made.error().value();
    }
    overlay_->forget(made->id, 1);
    return 0;
  }
  static Caller me() { return {{::geteuid(), ::getegid()}}; }

 private:
  Scratch scratch_;
  UpperForm form_;
  std::unique_ptr<Overlay> overlay_;
};

int code(const FsResult<void>& result) { return result ? 0 : result.error().value(); }

}  // namespace

TEST_CASE("files are on disk what they are inside", "[upper]") {
  Native fs;
  CHECK(fs.make(kRootNode, "plain", S_IFREG | 0640) == 0);
  CHECK(fs.make(kRootNode, "setuid", S_IFREG | 06755) == 0);
  CHECK(fs.make(kRootNode, "pipe", S_IFIFO | 0620) == 0);
  CHECK(fs.make(kRootNode, "socket", S_IFSOCK | 0600) == 0);
  CHECK(fs.make(kRootNode, "folder", S_IFDIR | 01777) == 0);
  CHECK(fs.make(kRootNode, "hidden", S_IFREG | 0000) == 0);
  REQUIRE(fs->make_symlink(kRootNode, "arrow", "target", Native::me()));
  CHECK(fs.on_disk("plain").st_mode == (S_IFREG | 0640));
  CHECK(fs.on_disk("setuid").st_mode == (S_IFREG | 06755));
  CHECK(fs.on_disk("pipe").st_mode == (S_IFIFO | 0620));
  CHECK(fs.on_disk("socket").st_mode == (S_IFSOCK | 0600));
  CHECK(fs.on_disk("folder").st_mode == (S_IFDIR | 01777));
  CHECK(S_ISLNK(fs.on_disk("arrow").st_mode));
  CHECK(fs.mark("plain", "user.containers.override_stat") == "none");
  fs.open();
  for (const auto& [name, mode] :
       std::map<std::string, std::uint32_t>{{"plain", S_IFREG | 0640},
                                            {"setuid", S_IFREG | 06755},
                                            {"pipe", S_IFIFO | 0620},
                                            {"folder", S_IFDIR | 01777}}) {
    CAPTURE(name);
    CHECK(fs->get_attr(walk(*fs, {name})->id())->mode == mode);
  }
  CHECK(fs->read_link(walk(*fs, {"arrow"})->id()).value() == "target");
}

TEST_CASE("a device is made, or stands in a file; a whiteout is nobody's to make", "[upper]") {
  Native fs;
  CHECK(fs.make(kRootNode, "null", S_IFCHR | 0666, makedev(1, 3)) == 0);
  CHECK(fs.make(kRootNode, "zero", S_IFCHR | 0666, makedev(0, 0)) == EPERM);
  for (int round = 0; round < 2; ++round) {
    const auto attr = fs->get_attr(walk(*fs, {"null"})->id()).value();
    CHECK(attr.mode == (S_IFCHR | 0666));
    CHECK(attr.rdev == makedev(1, 3));
    AttrChange change;
    change.set_mode = true;
    change.mode = 0666;
    CHECK(fs->set_attr(walk(*fs, {"null"})->id(), change)->mode == (S_IFCHR | 0666));
    fs.open();
  }
  if (::geteuid() != 0) {
    CHECK(fs.mark("null", "user.containers.override_stat").ends_with(":0666:char-1-3"));
  }
}

TEST_CASE("a change of metadata copies the data, and leaves no mark of it", "[upper]") {
  for (const UpperForm form : {UpperForm::kNative, UpperForm::kOverride}) {
    Native fs(form);
    AttrChange change;
    change.set_mode = true;
    change.mode = 0600;
    const std::uint64_t ino = fs->get_attr(walk(*fs, {"file"})->id())->ino;
    REQUIRE(fs->set_attr(walk(*fs, {"file"})->id(), change));
    CHECK(fs.text("file") == "lower content");
    CHECK(fs.mark("file", "user.overlay.metacopy") == "none");
    CHECK(fs->set_xattr(walk(*fs, path_of("dir/inner"))->id(), "user.color",
                        std::as_bytes(std::span("red", 3)), 0));
    CHECK(fs.text("dir/inner") == "inner");
    CHECK(fs.mark("dir/inner", "user.color") == "red");
    fs.open();
    CHECK(fs->get_attr(walk(*fs, {"file"})->id())->ino == ino);
    CHECK(fs->xattr_names(walk(*fs, {"file"})->id())->empty());
    CHECK(read_all(*fs, walk(*fs, {"file"})->id()) == "lower content");
  }
}

TEST_CASE("what changes nothing copies nothing", "[upper]") {
  Native fs;
  AttrChange change;
  change.set_uid = true;
  change.owner.uid = ::geteuid();
  REQUIRE(fs->set_attr(walk(*fs, {"file"})->id(), change));
  CHECK(fs.absent("file"));
  CHECK(fs->remove_xattr(walk(*fs, {"file"})->id(), "user.none").error() == Errno(ENODATA));
  CHECK(fs.absent("file"));
}

TEST_CASE("a renamed file is whole; a directory with a lower part does not move", "[upper]") {
  for (const UpperForm form : {UpperForm::kNative, UpperForm::kOverride}) {
    Native fs(form);
    CHECK(code(fs->rename(kRootNode, "file", kRootNode, "moved", 0)) == 0);
    CHECK(fs.text("moved") == "lower content");
    CHECK(S_ISCHR(fs.on_disk("file").st_mode));
    CHECK(fs.on_disk("file").st_rdev == 0);
    CHECK(code(fs->rename(kRootNode, "dir", kRootNode, "moved-dir", 0)) == EXDEV);
    CHECK(fs.make(kRootNode, "new", S_IFDIR | 0755) == 0);
    CHECK(code(fs->rename(kRootNode, "new", kRootNode, "dir", RENAME_EXCHANGE)) == EXDEV);
    CHECK(code(fs->rename(kRootNode, "new", kRootNode, "newer", 0)) == 0);
    CHECK(code(fs->rename(kRootNode, "link", kRootNode, "second", RENAME_EXCHANGE)) == 0);
    CHECK(fs->read_link(walk(*fs, {"second"})->id()).value() == "file");
    CHECK(fs.text("link") == "lower content");
  }
}

TEST_CASE("a directory in the place of a removed one is opaque", "[upper]") {
  Native fs;
  CHECK(code(fs->unlink(walk(*fs, {"dir"})->id(), "inner")) == 0);
  CHECK(code(fs->remove_dir(walk(*fs, {"dir"})->id(), "sub")) == 0);
  CHECK(code(fs->remove_dir(kRootNode, "dir")) == 0);
  CHECK(S_ISCHR(fs.on_disk("dir").st_mode));
  CHECK(fs.make(kRootNode, "dir", S_IFDIR | 0755) == 0);
  CHECK(fs.mark("dir", "user.overlay.opaque") == "y");
  fs.open();
  CHECK(list_all(*fs, walk(*fs, {"dir"})->id(), ListKind::kPlain).empty());
}

TEST_CASE("one name of a linked lower file goes without the other", "[upper]") {
  Native fs;
  const auto held = walk(*fs, {"file"});
  CHECK(code(fs->unlink(kRootNode, "file")) == 0);
  CHECK(walk(*fs, {"file"}).error() == Errno(ENOENT));
  CHECK(read_all(*fs, walk(*fs, {"second"})->id()) == "lower content");
  CHECK(read_all(*fs, held->id()) == "lower content");
  CHECK(fs.absent("second"));
}

TEST_CASE("the names of a linked lower file stay one file, met early or late", "[upper]") {
  Native fs;
  AttrChange change;
  change.set_mode = true;
  change.mode = 0640;
  REQUIRE(fs->set_attr(walk(*fs, {"file"})->id(), change));
  CHECK(fs.absent("second"));
  CHECK(fs->get_attr(walk(*fs, {"second"})->id())->mode == (S_IFREG | 0640));
  CHECK(fs.on_disk("second").st_ino == fs.on_disk("file").st_ino);
  CHECK(code(fs->rename(kRootNode, "second", kRootNode, "third", 0)) == 0);
  CHECK(fs->write(walk(*fs, {"third"})->id(), 0, std::as_bytes(std::span("LOWER", 5)), false));
  CHECK(read_all(*fs, walk(*fs, {"file"})->id()) == "LOWER content");
  CHECK(fs->get_attr(walk(*fs, {"file"})->id())->nlink == 2);
  fs.open();
  CHECK(walk(*fs, {"file"})->id() == walk(*fs, {"third"})->id());
  CHECK(walk(*fs, {"second"}).error() == Errno(ENOENT));
}

TEST_CASE("links, times and owners of what cannot be opened", "[upper]") {
  Native fs;
  AttrChange change;
  change.set_times = true;
  change.times[1] = {5000, 0};
  REQUIRE(fs->set_attr(walk(*fs, {"link"})->id(), change));
  CHECK(S_ISLNK(fs.on_disk("link").st_mode));
  CHECK(fs.on_disk("link").st_mtim.tv_sec == 5000);
  CHECK(fs.make(kRootNode, "pipe", S_IFIFO | 0600) == 0);
  change = {};
  change.set_mode = true;
  change.mode = 0644;
  REQUIRE(fs->set_attr(walk(*fs, {"pipe"})->id(), change));
  CHECK(fs.on_disk("pipe").st_mode == (S_IFIFO | 0644));
  REQUIRE(fs->link(walk(*fs, {"link"})->id(), kRootNode, "link2"));
  CHECK(fs.on_disk("link2").st_nlink == 2);
  CHECK(fs->xattr_names(walk(*fs, {"pipe"})->id())->empty());
  CHECK(fs->xattr(walk(*fs, {"pipe"})->id(), "user.x").error() == Errno(ENODATA));
  const auto held = walk(*fs, {"pipe"});
  CHECK(code(fs->unlink(kRootNode, "pipe")) == 0);
  CHECK(fs->get_attr(held->id())->nlink == 0);
}

TEST_CASE("whiteouts and opaque marks that others left are honoured", "[upper]") {
  Native fs;
  fs.put("upper/.wh.file", "");
  std::filesystem::create_directory(fs.at("upper/dir"));
  fs.put("upper/dir/.wh..wh..opq", "");
  fs.put("upper/second", "upper wins");
  fs.put("upper/.wh.second", "");
  fs.open();
  CHECK(walk(*fs, {"file"}).error() == Errno(ENOENT));
  CHECK(read_all(*fs, walk(*fs, {"second"})->id()) == "upper wins");
  CHECK(list_all(*fs, walk(*fs, {"dir"})->id(), ListKind::kPlain).empty());
  CHECK(list_all(*fs, kRootNode, ListKind::kPlain).size() == 3);  // dir, link, second
  CHECK(fs.make(kRootNode, "file", S_IFREG | 0644) == 0);
  CHECK(fs.make(kRootNode, ".wh.other", S_IFREG | 0644) == EINVAL);
  CHECK(code(fs->rename(kRootNode, "file", kRootNode, ".wh.other", 0)) == EINVAL);
  CHECK(code(fs->remove_dir(kRootNode, "dir")) == 0);
  fs.open();
  CHECK(read_all(*fs, walk(*fs, {"file"})->id()).empty());
  CHECK(walk(*fs, {"dir"}).error() == Errno(ENOENT));
}

TEST_CASE("fuse-overlayfs's opaque mark", "[upper]") {
  Native fs;
  std::filesystem::create_directory(fs.at("upper/dir"));
  REQUIRE(::setxattr(fs.at("upper/dir").c_str(), "user.fuseoverlayfs.opaque", "y", 1, 0) == 0);
  fs.open();
  CHECK(list_all(*fs, walk(*fs, {"dir"})->id(), ListKind::kPlain).empty());
}

TEST_CASE("a directory that its owner may not write to is copied up and made all the same",
          "[upper]") {
  Native fs;
  REQUIRE(::chmod(fs.at("lower/dir/sub").c_str(), 0555) == 0);
  AttrChange change;
  change.set_times = true;
  change.times[1] = {5000, 0};
  REQUIRE(fs->set_attr(walk(*fs, path_of("dir/sub"))->id(), change));
  CHECK(fs.on_disk("dir/sub").st_mode == (S_IFDIR | 0555));
  CHECK(fs.on_disk("dir/sub").st_mtim.tv_sec == 5000);
  CHECK(fs.make(kRootNode, "closed", S_IFDIR | 0500) == 0);
  CHECK(fs.on_disk("closed").st_mode == (S_IFDIR | 0500));
  CHECK(code(fs->unlink(kRootNode, "file")) == 0);
  CHECK(fs.make(kRootNode, "file", S_IFDIR | 0555) == 0);  // in the place of a whiteout
  CHECK(fs.on_disk("file").st_mode == (S_IFDIR | 0555));
}

TEST_CASE("the root is as its directory is", "[upper]") {
  Native fs;
  REQUIRE(::chmod(fs.at("upper").c_str(), 0751) == 0);
  fs.open();
  CHECK(fs->get_attr(kRootNode)->mode == (S_IFDIR | 0751));
}

}  // namespace sbx::overlay::test
