#include "layer/tar_writer.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <vector>

#include "layer/tar_reader.hpp"
#include "sys/file.hpp"

using sbx::layer::ArchiveMember;
using sbx::layer::EntryType;
using sbx::layer::TarEntry;
using sbx::layer::TarWriter;

namespace {

std::string contents(int fd) {
  std::string out(4U << 20U, '\0');
  out.resize(
      sbx::sys::pread_full(fd, std::as_writable_bytes(std::span(out)), 0, "archive").value());
  return out;
}

std::vector<TarEntry> entries(const std::string& tar) {
  std::vector<TarEntry> out;
  sbx::layer::TarReader reader([&](const TarEntry& entry) {
    out.push_back(entry);
    return sbx::Result<void>();
  });
  REQUIRE(reader.feed(std::as_bytes(std::span(tar))));
  REQUIRE(reader.finish());
  return out;
}

TarEntry written(const ArchiveMember& member) {
  const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  TarWriter writer(fd.get(), "archive");
  REQUIRE(writer.begin(member));
  REQUIRE(writer.fill());
  REQUIRE(writer.finish());
  const std::vector<TarEntry> all = entries(contents(fd.get()));
  REQUIRE(all.size() == 1);
  return all.front();
}

ArchiveMember file(std::string path) {
  ArchiveMember out;
  out.path = std::move(path);
  out.mode = S_IFREG | 0640;
  return out;
}

}  // namespace

TEST_CASE("each kind of member comes back as it was") {
  ArchiveMember member = file("a/b");
  member.uid = 7;
  member.gid = 8;
  member.mode = S_IFREG | 04751;
  member.mtime = {1'700'000'000, 0};
  member.size = 513;
  TarEntry entry = written(member);
  CHECK(entry.path == "a/b");
  CHECK(entry.type == EntryType::kRegular);
  CHECK(entry.mode == 04751);
  CHECK((entry.uid == 7 && entry.gid == 8));
  CHECK(entry.mtime_sec == 1'700'000'000);
  CHECK(entry.size == 513);

  member = file("dir/");
  member.mode = S_IFDIR | 01777;
  CHECK(written(member).type == EntryType::kDirectory);
  member = file("link");
  member.mode = S_IFLNK | 0777;
  member.symlink = "../x y";
  CHECK(written(member).link == "../x y");
  member = file("device");
  member.mode = S_IFCHR | 0600;
  member.rdev = makedev(10, 229);
  CHECK(written(member).rdev == makedev(10, 229));
  member = file("pipe");
  member.mode = S_IFIFO | 0600;
  CHECK(written(member).type == EntryType::kFifo);
  member = file("second");
  member.hard_link = "first";
  entry = written(member);
  CHECK(entry.type == EntryType::kHardLink);
  CHECK(entry.link == "first");
}

TEST_CASE("what ustar has no room for") {
  ArchiveMember member = file(std::string(150, 'n') + "/" + std::string(250, 'm'));
  member.uid = 0xfffffffe;
  member.gid = 3'000'000'000;
  member.mtime = {1, 999'999'999};
  member.xattrs = {{"user.a", std::string("b\0=\n", 4)}};
  TarEntry entry = written(member);
  CHECK(entry.path == member.path);
  CHECK((entry.uid == member.uid && entry.gid == member.gid));
  CHECK((entry.mtime_sec == 1 && entry.mtime_nsec == 999'999'999));
  CHECK(entry.xattrs == member.xattrs);

  member = file("link");
  member.mode = S_IFLNK | 0777;
  member.symlink = std::string(4000, 't');
  CHECK(written(member).link == member.symlink);
  // Exactly 100 bytes fill the field, without a NUL.
  CHECK(written(file(std::string(100, 'x'))).path == std::string(100, 'x'));
}

TEST_CASE("times before 1970, with fractions") {
  for (const timespec time : {timespec{-1, 750'000'000}, timespec{-5, 0}, timespec{-5, 1},
                              timespec{0, 1}, timespec{1LL << 34, 5}}) {
    ArchiveMember member = file("old");
    member.mtime = time;
    const TarEntry entry = written(member);
    CHECK(entry.mtime_sec == time.tv_sec);
    CHECK(entry.mtime_nsec == static_cast<std::uint32_t>(time.tv_nsec));
  }
}

TEST_CASE("a file of more than eight GiB has its size in the PAX header") {
  ArchiveMember member = file("huge");
  member.size = std::uint64_t{1} << 40U;
  const std::string header = sbx::layer::format_tar_header(member).value();
  CHECK(header.find("size=1099511627776\n") != std::string::npos);
}

TEST_CASE("a record's length counts its own digits") {
  for (std::size_t size = 85; size < 105; ++size) {
    ArchiveMember member = file("x");
    member.xattrs = {{"user.x", std::string(size, 'v')}};
    CHECK(written(member).xattrs == member.xattrs);
  }
}

TEST_CASE("too long for any reader") {
  CHECK(!sbx::layer::format_tar_header(file(std::string(5000, 'a'))));
  ArchiveMember member = file("x");
  member.xattrs = {{"user.x", std::string(2U << 20U, 'v')}};
  CHECK(!sbx::layer::format_tar_header(member));
}

TEST_CASE("data from a file, large and small, and too short") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{512}, std::size_t{3'000'001}}) {
    const sbx::sys::Fd in(::memfd_create("in", MFD_CLOEXEC));
    std::string data;
    for (std::size_t i = 0; data.size() < size; ++i) {
      data += std::to_string(i);
    }
    data.resize(size);
    REQUIRE(sbx::sys::write_full(in.get(), data, "in"));
    REQUIRE(::lseek(in.get(), 0, SEEK_SET) == 0);
    const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
    TarWriter writer(fd.get(), "archive");
    ArchiveMember member = file("x");
    member.size = size + 3;
    REQUIRE(writer.begin(member));
    CHECK(writer.write_from(in.get(), size + 3, "in").value() == size);
    REQUIRE(writer.fill());
    REQUIRE(writer.begin(file("y")));
    REQUIRE(writer.finish());
    const std::string tar = contents(fd.get());
    const std::vector<TarEntry> all = entries(tar);
    REQUIRE(all.size() == 2);
    CHECK(tar.substr(all[0].data_offset, size + 3) == data + std::string(3, '\0'));
  }
}

TEST_CASE("a member must get all its bytes, and no more") {
  const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  TarWriter writer(fd.get(), "archive");
  ArchiveMember member = file("x");
  member.size = 2;
  REQUIRE(writer.begin(member));
  CHECK(!writer.write(std::as_bytes(std::span("abc", 3))));
  CHECK(!writer.finish());
}
