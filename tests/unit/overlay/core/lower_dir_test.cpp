#include "overlay/core/lower_dir.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "../fixture.hpp"

namespace sbx::overlay::test {

namespace {

void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::unique_ptr<LowerDir> lower_of(const Scratch& scratch, LowerDir::Options options) {
  return LowerDir::make(scratch.dir("lower"), std::move(options)).value();
}

std::string content(Lower& lower, LowerRef ref) {
  std::string text(100, '\0');
  const auto got = lower.read(ref, 0, std::as_writable_bytes(std::span(text)));
  return got ? text.substr(0, *got) : "error " + std::to_string(got.error().value());
}

}  // namespace

TEST_CASE("what is not held is forgotten, what is held stays", "[lower_dir]") {
  const Scratch scratch;
  (void)scratch.dir("lower/a/b");
  put(scratch.path() + "/lower/a/b/f", "text");
  auto lower = lower_of(scratch, {});
  LowerRef ref;
  {
    const LowerPin a = lower->lookup(kLowerRoot, "a").value();
    const LowerPin b = lower->lookup(a.ref(), "b").value();
    const LowerPin f = lower->lookup(b.ref(), "f").value();
    ref = f.ref();
    lower->add_lookups(ref, 2);
  }
  CHECK(lower->valid(ref));
  CHECK(content(*lower, ref) == "text");
  CHECK(lower->drop_lookups(ref, 1) == 1);
  CHECK(lower->drop_lookups(ref, 1) == 0);
  CHECK_FALSE(lower->valid(ref));
  CHECK(lower->attr(ref).error() == Errno(ESTALE));
  CHECK(lower->lookup(ref, "x").error() == Errno(ESTALE));
}

TEST_CASE("a live directory may change under us", "[lower_dir]") {
  const Scratch scratch;
  (void)scratch.dir("lower");
  const std::string file = scratch.path() + "/lower/f";
  put(file, "one");
  auto lower = lower_of(scratch, {true, {}, 4});
  const LowerPin first = lower->lookup(kLowerRoot, "f").value();
  CHECK(content(*lower, first.ref()) == "one");

  put(file + ".new", "two");
  std::filesystem::rename(file + ".new", file);
  const LowerPin second = lower->lookup(kLowerRoot, "f").value();
  CHECK(second.ref() != first.ref());
  CHECK(content(*lower, second.ref()) == "two");
  CHECK(lower->attr(first.ref()).error() == Errno(ESTALE));

  put(file, "longer");  // the same inode, another change time
  CHECK(lower->lookup(kLowerRoot, "f").value().ref() != second.ref());
  std::filesystem::remove(file);
  CHECK(lower->lookup(kLowerRoot, "f").error() == Errno(ENOENT));
  // In place of a file, a symlink out of the tree: never followed.
  std::filesystem::create_symlink("/etc/passwd", file);
  CHECK(content(*lower, second.ref()) == "longer");  // its descriptor is still open
}

TEST_CASE("a directory replaced by a symlink is not followed", "[lower_dir]") {
  const Scratch scratch;
  (void)scratch.dir("lower/d");
  put(scratch.path() + "/lower/d/passwd", "ours");
  auto lower = lower_of(scratch, {true, {}, 1});
  const LowerPin dir = lower->lookup(kLowerRoot, "d").value();
  const LowerPin file = lower->lookup(dir.ref(), "passwd").value();
  std::filesystem::remove_all(scratch.path() + "/lower/d");
  std::filesystem::create_symlink("/etc", scratch.path() + "/lower/d");
  CHECK_FALSE(lower->read(file.ref(), 0, {}));
  CHECK_FALSE(lower->xattr_names(file.ref()));
}

TEST_CASE("excluded paths are empty directories", "[lower_dir]") {
  const Scratch scratch;
  (void)scratch.dir("lower/proc/1");
  (void)scratch.dir("lower/var/proc/1");
  auto lower = lower_of(scratch, {false, {"proc", "var/nothing"}, 4});
  const LowerPin proc = lower->lookup(kLowerRoot, "proc").value();
  CHECK(lower->lookup(proc.ref(), "1").error() == Errno(ENOENT));
  const LowerPin var = lower->lookup(kLowerRoot, "var").value();
  const LowerPin inner = lower->lookup(var.ref(), "proc").value();
  CHECK(lower->lookup(inner.ref(), "1"));
}

TEST_CASE("two names of one file are one node", "[lower_dir]") {
  const Scratch scratch;
  (void)scratch.dir("lower");
  put(scratch.path() + "/lower/a", "text");
  std::filesystem::create_hard_link(scratch.path() + "/lower/a", scratch.path() + "/lower/b");
  auto lower = lower_of(scratch, {});
  const LowerPin a = lower->lookup(kLowerRoot, "a").value();
  const LowerPin b = lower->lookup(kLowerRoot, "b").value();
  CHECK(a.ref() == b.ref());
  CHECK(lower->places(a.ref()).value().size() == 2);
}

TEST_CASE("a file nobody may read gives EACCES, not a crash", "[lower_dir]") {
  if (::geteuid() == 0) {
    return;  // root may
  }
  const Scratch scratch;
  (void)scratch.dir("lower");
  put(scratch.path() + "/lower/secret", "text");
  ::chmod((scratch.path() + "/lower/secret").c_str(), 0);
  auto lower = lower_of(scratch, {});
  const LowerPin file = lower->lookup(kLowerRoot, "secret").value();
  CHECK(content(*lower, file.ref()) == "error " + std::to_string(EACCES));
  CHECK(lower->xattr_names(file.ref()).value().empty());
}

}  // namespace sbx::overlay::test
