#include "layer/archive_writer.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <map>

#include "layer/tar_reader.hpp"
#include "sys/file.hpp"

using sbx::layer::ArchiveWriter;
using sbx::layer::TarEntry;

namespace {

std::string contents(int fd) {
  std::string out(1U << 20U, '\0');
  out.resize(
      sbx::sys::pread_full(fd, std::as_writable_bytes(std::span(out)), 0, "archive").value());
  return out;
}

std::string write(const std::map<std::string, std::string>& members) {
  const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  ArchiveWriter writer = ArchiveWriter::open(fd.get(), "archive").value();
  for (const auto& [path, data] : members) {
    REQUIRE(writer.add(path, data));
  }
  REQUIRE(writer.finish());
  return contents(fd.get());
}

}  // namespace

TEST_CASE("what was written is read again, and is the same each time") {
  const std::map<std::string, std::string> members{
      {"blobs/sha256/a", "data"},
      {"empty", ""},
      {std::string(200, 'n') + "/x", std::string(700, 'd')}};
  const std::string tar = write(members);
  CHECK(write(members) == tar);
  CHECK(tar.size() % 512 == 0);
  std::map<std::string, std::string> read;
  sbx::layer::TarReader reader([&](const TarEntry& entry) {
    read[entry.path] = tar.substr(entry.data_offset, entry.size);
    return sbx::Result<void>();
  });
  REQUIRE(reader.feed(std::as_bytes(std::span(tar))));
  REQUIRE(reader.finish());
  CHECK(read == members);
}

TEST_CASE("a member has the bytes it said, no more, no fewer") {
  const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  ArchiveWriter writer = ArchiveWriter::open(fd.get(), "archive").value();
  REQUIRE(writer.begin("x", 4));
  CHECK(writer.write(std::as_bytes(std::span(std::string_view("12345")))).error().code ==
        sbx::ErrorCode::kCorrupt);
  CHECK(writer.write(std::as_bytes(std::span(std::string_view("123")))));
  CHECK(writer.begin("y", 0).error().code == sbx::ErrorCode::kCorrupt);
  CHECK(writer.finish().error().code == sbx::ErrorCode::kCorrupt);
}

TEST_CASE("a full disk is told as such") {
  const sbx::sys::Fd fd = sbx::sys::open_at(AT_FDCWD, "/dev/full", O_WRONLY).value();
  ArchiveWriter writer = ArchiveWriter::open(fd.get(), "full").value();
  sbx::Result<void> done = writer.add("x", std::string(100000, 'x'));
  if (done) {
    done = writer.finish();
  }
  REQUIRE_FALSE(done);
  CHECK(done.error().sys_errno == ENOSPC);
}
