#include "image/source_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>

#include "sys/file.hpp"
#include "tar_builder.hpp"

using sbx::ErrorCode;
using sbx::Result;
using sbx::image::SourceFiles;
using sbx::test::tar_end;
using sbx::test::tar_member;

namespace {

Result<std::unique_ptr<SourceFiles>> archive(const std::string& data) {
  sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  REQUIRE(sbx::sys::write_full(fd.get(), data, "archive"));
  return sbx::image::archive_files(std::move(fd), "archive");
}

}  // namespace

TEST_CASE("members are read in place, through links inside of the archive") {
  const auto files = archive(tar_member({"a/layer.tar", '0', "", "data"}) +
                             tar_member({"b/layer.tar", '2', "../a/layer.tar"}) +
                             tar_member({"c", '1', "a/layer.tar"}) +
                             tar_member({"out", '2', "../../../a/layer.tar"}) +
                             tar_member({"loop", '2', "loop"}) + tar_end());
  REQUIRE(files);
  for (const char* path : {"a/layer.tar", "./b/layer.tar", "c", "out"}) {
    CHECK((*files)->read(path, 10).value() == "data");
  }
  CHECK((*files)->read("a/layer.tar", 3).error().code == ErrorCode::kLimit);
  CHECK((*files)->read("loop", 10).error().code == ErrorCode::kCorrupt);
  CHECK((*files)->read("none", 10).error().code == ErrorCode::kNotFound);
  CHECK_FALSE((*files)->read("../a", 10));
}

TEST_CASE("what is no plain tar is refused with a hint") {
  const auto gzip = archive(std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
  REQUIRE_FALSE(gzip);
  CHECK(gzip.error().code == ErrorCode::kUnsupported);
  CHECK_FALSE(gzip.error().hint.empty());
  CHECK(archive(std::string(600, 'x')).error().code == ErrorCode::kCorrupt);
  CHECK(archive(tar_member({"a", '0', "", "data"}).substr(0, 515)).error().code ==
        ErrorCode::kCorrupt);
}

TEST_CASE("a directory gives its own files only") {
  const auto files = sbx::image::directory_files(
      sbx::sys::open_at(AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY).value(), "proc");
  CHECK(files->find("status"));
  CHECK_FALSE(files->find("../version"));
  CHECK_FALSE(files->find("root/etc/passwd"));  // a magic link
  CHECK(files->find("task").error().code == ErrorCode::kCorrupt);
}
