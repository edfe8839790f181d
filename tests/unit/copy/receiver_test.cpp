#include "copy/receiver.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "copy/sender.hpp"
#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::copy::Anchor;
using sbx::layer::ArchiveMember;
using sbx::layer::TarWriter;
namespace fs = std::filesystem;

namespace {

/// A tar in a file, from its beginning.
class Archive {
 public:
  Archive() : fd_(::memfd_create("archive", MFD_CLOEXEC)), writer_(fd_.get(), "archive") {}

  Archive& add(const std::string& path, mode_t mode, const std::string& text = "",
               const std::string& hard_link = "") {
    ArchiveMember member;
    member.path = path;
    member.mode = mode;
    member.hard_link = hard_link;
    if (S_ISLNK(mode)) {
      member.symlink = text;
    } else if (hard_link.empty()) {
      member.size = text.size();
    }
    REQUIRE(writer_.begin(member));
    if (member.size != 0) {
      REQUIRE(writer_.write(std::as_bytes(std::span(text))));
    }
    return *this;
  }
  sbx::Result<void> receive(const std::string& path, sbx::copy::ReceiveOptions options = {}) {
    REQUIRE(writer_.finish());
    REQUIRE(::lseek(fd_.get(), 0, SEEK_SET) == 0);
    return sbx::copy::receive(fd_.get(), Anchor::host(), path, options);
  }
  TarWriter& writer() { return writer_; }

 private:
  sbx::sys::Fd fd_;
  TarWriter writer_;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

constexpr sbx::copy::ReceiveOptions kInto{.into_directory = true};

}  // namespace

TEST_CASE("where a file goes") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  fs::create_directory(top + "/dir");
  const auto copy = [](const std::string& to) {
    return Archive().add("file", S_IFREG | 0640, "text").receive(to);
  };
  REQUIRE(copy(top + "/dir"));
  CHECK(text_of(top + "/dir/file") == "text");
  REQUIRE(copy(top + "/new"));
  CHECK(text_of(top + "/new") == "text");
  std::ofstream(top + "/old") << "older and longer";
  REQUIRE(copy(top + "/old"));
  CHECK(text_of(top + "/old") == "text");
  CHECK(!copy(top + "/missing/"));
  CHECK(!copy(top + "/missing/x"));
  CHECK(!copy(top + "/old/"));
  fs::create_symlink("dir", top + "/link");
  REQUIRE(copy(top + "/link"));
  fs::create_symlink("elsewhere", top + "/dangling");
  REQUIRE(copy(top + "/dangling"));
  CHECK(text_of(top + "/elsewhere") == "text");
}

TEST_CASE("where a directory goes, and its contents") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  const auto copy = [](const std::string& to, const std::string& name) {
    return Archive()
        .add(name + "/", S_IFDIR | 0750)
        .add(name + "/sub/", S_IFDIR | 0500)
        .add(name + "/sub/file", S_IFREG | 0600, "text")
        .receive(to);
  };
  REQUIRE(copy(top + "/new", "name"));
  CHECK(text_of(top + "/new/sub/file") == "text");
  CHECK((fs::status(top + "/new/sub").permissions() & fs::perms::mask) == fs::perms(0500));
  fs::create_directory(top + "/there");
  REQUIRE(copy(top + "/there", "name"));
  CHECK(text_of(top + "/there/name/sub/file") == "text");
  REQUIRE(copy(top + "/there", "."));
  CHECK(text_of(top + "/there/sub/file") == "text");
  std::ofstream(top + "/file") << "x";
  CHECK(!copy(top + "/file", "name"));
  fs::permissions(top + "/new/sub", fs::perms(0700));
  fs::permissions(top + "/there/sub", fs::perms(0700));
  fs::permissions(top + "/there/name/sub", fs::perms(0700));
}

TEST_CASE("neither replaces the other: directories and what is none") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  fs::create_directories(top + "/t/a");
  std::ofstream(top + "/t/b") << "x";
  CHECK(!Archive().add("a", S_IFREG | 0600, "file").receive(top + "/t", kInto));
  CHECK(!Archive().add("b/", S_IFDIR | 0700).receive(top + "/t", kInto));
  fs::create_directory_symlink("a", top + "/t/link");
  CHECK(!Archive().add("link/", S_IFDIR | 0700).receive(top + "/t", kInto));
}

TEST_CASE("no member leaves the directory") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  fs::create_directory(top + "/t");
  std::ofstream(top + "/victim") << "untouched";
  CHECK(!Archive().add("../victim", S_IFREG | 0600, "bad").receive(top + "/t", kInto));
  CHECK(!Archive().add(top + "/victim", S_IFREG | 0600, "bad").receive(top + "/t", kInto));
  CHECK(!Archive()
             .add("link", S_IFLNK | 0777, "..")
             .add("link/victim", S_IFREG | 0600, "bad")
             .receive(top + "/t", kInto));
  // The link itself is replaced, and not what it leads to.
  REQUIRE(Archive()
              .add("direct", S_IFLNK | 0777, "../victim")
              .add("direct", S_IFREG | 0600, "bad")
              .receive(top + "/t", kInto));
  CHECK(!Archive().add("hard", S_IFREG | 0600, "", "../victim").receive(top + "/t", kInto));
  CHECK(!Archive().add("hard", S_IFREG | 0600, "", "link/victim").receive(top + "/t", kInto));
  CHECK(text_of(top + "/victim") == "untouched");
}

TEST_CASE("links, pipes, and what is left out") {
  const TemporaryDir temporary;
  const std::string top = temporary.path;
  REQUIRE(Archive()
              .add("a", S_IFREG | 06755, "text")
              .add("b", S_IFREG | 0600, "", "a")
              .add("c", S_IFLNK | 0777, "nowhere")
              .add("d", S_IFIFO | 0640)
              .add("e", S_IFCHR | 0600)
              .receive(top, kInto));
  struct stat st {};
  REQUIRE(::stat((top + "/b").c_str(), &st) == 0);
  CHECK(st.st_nlink == 2);
  CHECK((st.st_mode & 07777) == 0755);
  CHECK(fs::read_symlink(top + "/c") == "nowhere");
  CHECK(fs::is_fifo(top + "/d"));
  CHECK(!fs::exists(top + "/e"));
}

TEST_CASE("an archive that ends early") {
  const TemporaryDir temporary;
  const sbx::sys::Fd fd(::memfd_create("archive", MFD_CLOEXEC));
  ArchiveMember member;
  member.path = "x";
  member.mode = S_IFREG | 0600;
  member.size = 5000;
  REQUIRE(sbx::sys::write_full(fd.get(), sbx::layer::format_tar_header(member).value() + "some",
                               "archive"));
  REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
  CHECK(!sbx::copy::receive(fd.get(), Anchor::host(), temporary.path, kInto));
  // What is only a part of a tree was asked for as such.
  CHECK(!Archive()
             .add("dir/", S_IFDIR | 0700)
             .add("other", S_IFREG | 0600)
             .receive(temporary.path + "/new"));
}
