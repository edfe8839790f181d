#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "../fixture.hpp"
#include "overlay/core/lower_dir.hpp"

namespace sbx::overlay::test {

namespace {

/// Layers "0" (the uppermost), "1", ... of a scratch directory.
class Stack {
 public:
  Stack& dir(const std::string& path) {
    (void)scratch_.dir(path);
    return *this;
  }
  Stack& file(const std::string& path, const std::string& text) {
    std::ofstream(at(path)) << text;
    return *this;
  }
  Stack& whiteout(const std::string& path) {
    REQUIRE(::mknod(at(path).c_str(), S_IFCHR | 0600, makedev(0, 0)) == 0);
    return *this;
  }
  Stack& xattr(const std::string& path, const char* name, const std::string& value) {
    REQUIRE(::setxattr(at(path).c_str(), name, value.data(), value.size(), 0) == 0);
    return *this;
  }
  [[nodiscard]] std::string at(const std::string& path) const {
    return scratch_.path() + "/" + path;
  }
  [[nodiscard]] std::unique_ptr<LowerDir> open(int count) const {
    std::vector<sys::Fd> roots;
    for (int i = 0; i < count; ++i) {
      roots.push_back(scratch_.dir(std::to_string(i)));
    }
    return LowerDir::stack(std::move(roots), {false, {}, 4}).value();
  }
  [[nodiscard]] const Scratch& scratch() const { return scratch_; }

 private:
  Scratch scratch_;
};

FsResult<LowerPin> walk_lower(Lower& lower, std::string_view path) {
  LowerPin at = LowerPin::of(lower, kLowerRoot);
  for (const std::string& name : path_of(path)) {
    at = SBX_TRY(lower.lookup(at.ref(), name));
  }
  return at;
}

std::string content(Lower& lower, std::string_view path) {
  const auto pin = walk_lower(lower, path);
  if (!pin) {
    return "error " + std::to_string(pin.error().value());
  }
  std::string text(100, '\0');
  const auto got = lower.read(pin->ref(), 0, std::as_writable_bytes(std::span(text)));
  return got ? text.substr(0, *got) : "error " + std::to_string(got.error().value());
}

const std::string kGone = "error " + std::to_string(ENOENT);

/// Names and types, each once.
std::map<std::string, std::uint32_t> names(Lower& lower, std::string_view path) {
  class Collector final : public EntrySink {
   public:
    bool take(std::uint64_t, std::string_view name, std::uint64_t, std::uint32_t type) override {
      CHECK(found.emplace(name, type).second);
      return true;
    }
    std::map<std::string, std::uint32_t> found;
  };
  Collector collector;
  const auto pin = walk_lower(lower, path);
  REQUIRE(pin);
  REQUIRE(lower.list(pin->ref(), 0, collector));
  return collector.found;
}

using Names = std::map<std::string, std::uint32_t>;

}  // namespace

TEST_CASE("layers are merged, the upper one wins", "[lower_dir]") {
  Stack stack;
  stack.dir("0/d").dir("1/d").dir("2/d/deep").dir("0/mixed").dir("1");
  stack.file("0/d/a", "a0").file("1/d/a", "a1").file("1/d/b", "b1").file("2/d/b", "b2");
  stack.file("2/d/deep/c", "c2").file("1/mixed", "file below a directory");
  auto lower = stack.open(3);
  CHECK(content(*lower, "d/a") == "a0");
  CHECK(content(*lower, "d/b") == "b1");
  CHECK(content(*lower, "d/deep/c") == "c2");
  CHECK(names(*lower, "") == Names{{"d", S_IFDIR}, {"mixed", S_IFDIR}});
  CHECK(names(*lower, "d") == Names{{"a", S_IFREG}, {"b", S_IFREG}, {"deep", S_IFDIR}});
  CHECK(names(*lower, "mixed").empty());
  const auto merged = walk_lower(*lower, "d").value();
  const auto single = walk_lower(*lower, "d/deep").value();
  CHECK(lower->attr(merged.ref())->nlink == 1);
  CHECK(lower->attr(single.ref())->nlink == 2);
}

TEST_CASE("a file between two directories separates them", "[lower_dir]") {
  Stack stack;
  stack.dir("0/d").dir("1").dir("2/d").file("1/d", "not a directory").file("2/d/lost", "x");
  auto lower = stack.open(3);
  CHECK(names(*lower, "d").empty());
  CHECK(content(*lower, "d/lost") == kGone);
}

TEST_CASE("whiteouts of every form hide, and do not show", "[lower_dir]") {
  Stack stack;
  stack.dir("0").dir("1/dir").dir("2/dir");
  for (const char* name : {"device", "file", "marked", "kept"}) {
    stack.file(std::string("2/dir/") + name, "below");
    stack.file(std::string("2/") + name, "below");
  }
  stack.whiteout("1/dir/device").file("1/dir/.wh.file", "");
  stack.file("1/dir/marked", "").xattr("1/dir/marked", "user.overlay.whiteout", "y");
  stack.xattr("1/dir", "user.overlay.opaque", "x");
  stack.whiteout("0/device").whiteout("0/nothing");
  auto lower = stack.open(3);
  CHECK(names(*lower, "dir") == Names{{"kept", S_IFREG}});
  for (const char* name : {"device", "file", "marked", ".wh.file"}) {
    CHECK(content(*lower, std::string("dir/") + name) == kGone);
    CHECK(lower->probe(walk_lower(*lower, "dir")->ref(), name).error() == Errno(ENOENT));
  }
  CHECK(content(*lower, "dir/kept") == "below");
  CHECK(content(*lower, "device") == kGone);
  CHECK(content(*lower, "nothing") == kGone);
  CHECK(names(*lower, "").size() == 4);  // dir, file, marked, kept
}

TEST_CASE("without the mark on its directory, an empty file with a mark is a file", "[lower_dir]") {
  Stack stack;
  stack.dir("0").file("0/f", "").xattr("0/f", "user.overlay.whiteout", "y");
  CHECK(names(*stack.open(1), "") == Names{{"f", S_IFREG}});
}

TEST_CASE("opaque directories of every form", "[lower_dir]") {
  Stack stack;
  for (const char* name : {"kernel", "fuse", "file", "open"}) {
    stack.dir(std::string("0/") + name).dir(std::string("1/") + name);
    stack.file(std::string("1/") + name + "/below", "x")
        .file(std::string("0/") + name + "/own", "y");
  }
  stack.xattr("0/kernel", "user.overlay.opaque", "y")
      .xattr("0/fuse", "user.fuseoverlayfs.opaque", "y");
  stack.file("0/file/.wh..wh..opq", "");
  auto lower = stack.open(2);
  for (const char* name : {"kernel", "fuse", "file"}) {
    CAPTURE(name);
    CHECK(names(*lower, name) == Names{{"own", S_IFREG}});
    CHECK(content(*lower, std::string(name) + "/below") == kGone);
  }
  CHECK(names(*lower, "open").size() == 2);
}

TEST_CASE("an opaque root ends the stack", "[lower_dir]") {
  Stack stack;
  stack.dir("0").dir("1").file("1/below", "x").xattr("0", "user.overlay.opaque", "y");
  CHECK(names(*stack.open(2), "").empty());
}

TEST_CASE("marks are no attributes of the files", "[lower_dir]") {
  Stack stack;
  stack.dir("0/d")
      .dir("1/d")
      .xattr("0/d", "user.overlay.opaque", "y")
      .xattr("0/d", "user.color", "red");
  stack.xattr("0/d", "user.fuseoverlayfs.origin", "d")
      .xattr("0/d", "user.overlay.overlay.x", "nested");
  auto lower = stack.open(2);
  const auto dir = walk_lower(*lower, "d").value();
  auto shown = lower->xattr_names(dir.ref()).value();
  std::ranges::sort(shown);
  CHECK(shown == std::vector<std::string>{"user.color", "user.overlay.x"});
  CHECK(lower->xattr(dir.ref(), "user.color").value() == "red");
  CHECK(lower->xattr(dir.ref(), "user.overlay.x").value() == "nested");
  CHECK(lower->xattr(dir.ref(), "user.overlay.opaque").error() == Errno(ENODATA));
}

TEST_CASE("a layer whose root has an override has them everywhere", "[lower_dir]") {
  for (const char* name : {"user.containers.override_stat", "user.fuseoverlayfs.override_stat"}) {
    CAPTURE(name);
    Stack stack;
    stack.dir("0")
        .file("0/f", "x")
        .xattr("0/f", name, "7:8:0600")
        .dir("1")
        .xattr("1", name, "0:0:0555");
    stack.file("1/g", "x").xattr("1/g", name, "7:8:4755").file("1/plain", "x");
    stack.file("1/null", "").xattr("1/null", name, "0:0:0666:char-1-3");
    stack.file("1/link", "target").xattr("1/link", name, "0:0:0777:symlink");
    auto lower = stack.open(2);
    const auto attr = [&](const char* path) {
      return lower->attr(walk_lower(*lower, path)->ref()).value();
    };
    CHECK(attr("f").owner == Owner{::geteuid(), ::getegid()});  // its layer has none
    CHECK(attr("g").owner == Owner{7, 8});
    CHECK(attr("g").mode == (S_IFREG | 04755));
    CHECK(attr("plain").owner == Owner{::geteuid(), ::getegid()});
    CHECK(attr("null").mode == (S_IFCHR | 0666));
    CHECK(attr("null").rdev == makedev(1, 3));
    CHECK(S_ISLNK(attr("link").mode));
    CHECK(lower->read_link(walk_lower(*lower, "link")->ref()).value() == "target");
    CHECK(names(*lower, "").at("null") == 0);
  }
}

TEST_CASE("numbers are those of the files, and the names of a linked file lead to one",
          "[lower_dir]") {
  Stack stack;
  stack.dir("0").dir("1").file("1/f", "x");
  REQUIRE(::link(stack.at("1/f").c_str(), stack.at("1/g").c_str()) == 0);
  auto lower = stack.open(2);
  struct stat st {};
  REQUIRE(::stat(stack.at("1/f").c_str(), &st) == 0);
  const auto f = walk_lower(*lower, "f").value();
  const auto g = walk_lower(*lower, "g").value();
  CHECK(f.ref() == g.ref());
  CHECK(lower->attr(f.ref())->ino == st.st_ino);
  CHECK(lower->attr(g.ref())->nlink == 2);
}

TEST_CASE("no way leads out of a layer", "[lower_dir]") {
  Stack stack;
  stack.dir("0")
      .dir("1/etc")
      .file("1/etc/secret", "inside")
      .dir("outside")
      .file("outside/secret", "outside");
  REQUIRE(::symlink("../outside", stack.at("0/etc").c_str()) == 0);
  auto lower = stack.open(2);
  CHECK(content(*lower, "etc/secret") == "error " + std::to_string(ENOTDIR));
}

TEST_CASE("what is let go is forgotten in every layer", "[lower_dir]") {
  Stack stack;
  stack.dir("0/a").dir("1/a").dir("0/b").dir("1/b").file("1/a/f", "a").file("1/b/f", "b");
  auto lower = stack.open(2);
  for (int i = 0; i < 3; ++i) {
    CHECK(content(*lower, "a/f") == "a");
    CHECK(content(*lower, "b/f") == "b");  // with the numbers that "a" had
  }
}

TEST_CASE("no directory and too many are no stack", "[lower_dir]") {
  CHECK_FALSE(LowerDir::stack({}, {}));
  std::vector<sys::Fd> many(LowerDir::kMostLayers + 1);
  CHECK_FALSE(LowerDir::stack(std::move(many), {}));
}

}  // namespace sbx::overlay::test
