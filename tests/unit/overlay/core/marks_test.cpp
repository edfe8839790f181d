#include "overlay/core/marks.hpp"

#include <fcntl.h>
#include <linux/xattr.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "../fixture.hpp"

namespace sbx::overlay::test {

namespace {

constexpr const char* kName = "user.color";

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Side files in the directory "marks" of a scratch, and files in it.
struct Place {
  Scratch scratch;
  Marks marks{scratch.dir("marks"), sys::Durability::kSynced};

  [[nodiscard]] sys::Fd file(const std::string& name) const {
    return sys::Fd(
        ::open((scratch.path() + "/" + name).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  }
  [[nodiscard]] std::string side_file(const sys::Fd& fd) const {
    struct stat st {};
    REQUIRE(::fstat(fd.get(), &st) == 0);
    return scratch.path() + "/marks/" + std::to_string(st.st_ino);
  }
  [[nodiscard]] std::string value(const sys::Fd& fd, const char* name = kName) const {
    std::string text(100000, '\0');
    const auto size = marks.get(fd.get(), name, std::as_writable_bytes(std::span(text)));
    return size ? text.substr(0, *size) : "error " + std::to_string(size.error().value());
  }
  [[nodiscard]] std::string names(const sys::Fd& fd) const {
    std::string text(100000, '\0');
    const auto size = marks.list(fd.get(), text);
    return size ? text.substr(0, *size) : "error " + std::to_string(size.error().value());
  }
};

std::string error(int value) { return "error " + std::to_string(value); }

}  // namespace

TEST_CASE("a list of marks is read as it was written", "[marks]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  const std::vector<Mark> marks{
      {"user.a=b;c%d", all}, {"user.empty", ""}, {"user.plain", "0:0:0644"}};
  CHECK(parse_marks(format_marks(marks)).value() == marks);
  CHECK(format_marks({{"user.a", "1:2"}}) == "1user.a=1:2;");
  CHECK(format_marks({{"a;", "%"}}) == "1a%3b=%25;");
}

TEST_CASE("what is no list of marks is refused", "[marks]") {
  std::string many = "1";
  for (int i = 0; i < 2000; ++i) {
    many += "user." + std::to_string(i) + "=;";
  }
  for (const std::string& text :
       {std::string(), std::string("2user.a=1;"), std::string("1user.a"), std::string("1user.a="),
        std::string("1=1;"), std::string("1user.a=%;"), std::string("1user.a=%0;"),
        std::string("1user.a=%zz;"), std::string("1user.a=1;user.a=2;"), std::string("1a%00=1;"),
        "1" + std::string(256, 'n') + "=;", "1a=" + std::string(65537, 'v') + ";",
        "1a=" + std::string(400000, 'v') + ";", many}) {
    CAPTURE(text.substr(0, 40), text.size());
    CHECK(parse_marks(text).error() == Errno(EIO));
  }
}

TEST_CASE("side files do what setxattr, getxattr, listxattr and removexattr do", "[marks]") {
  const Place place;
  const Marks& marks = place.marks;
  const sys::Fd file = place.file("file");
  CHECK(place.value(file) == error(ENODATA));
  CHECK(place.names(file).empty());
  CHECK(marks.set(file.get(), kName, bytes("red"), XATTR_REPLACE).error() == Errno(ENODATA));
  REQUIRE(marks.set(file.get(), kName, bytes("red"), XATTR_CREATE));
  CHECK(marks.set(file.get(), kName, bytes("blue"), XATTR_CREATE).error() == Errno(EEXIST));
  CHECK(place.value(file) == "red");
  REQUIRE(marks.set(file.get(), kName, bytes("blue"), XATTR_REPLACE));
  REQUIRE(marks.set(file.get(), "user.empty", {}));
  CHECK(place.value(file) == "blue");
  CHECK(place.value(file, "user.empty").empty());
  CHECK(place.names(file) == std::string("user.color\0user.empty\0", 22));

  std::array<std::byte, 3> small{};
  CHECK(marks.get(file.get(), kName, small).error() == Errno(ERANGE));
  CHECK(marks.get(file.get(), kName, {}).value() == 4);
  std::array<char, 5> few{};
  CHECK(marks.list(file.get(), few).error() == Errno(ERANGE));
  CHECK(marks.list(file.get(), {}).value() == 22);

  REQUIRE(marks.remove(file.get(), kName));
  CHECK(marks.remove(file.get(), kName).error() == Errno(ENODATA));
  REQUIRE(marks.remove(file.get(), "user.empty"));
  CHECK_FALSE(std::filesystem::is_symlink(place.side_file(file)));
  CHECK(marks.sync());
}

TEST_CASE("a list too long for a symlink is a file, and may become one again", "[marks]") {
  const Place place;
  const sys::Fd file = place.file("file");
  const std::string large(65536, '%');  // escaped, three times that
  REQUIRE(place.marks.set(file.get(), kName, bytes(large)));
  CHECK(place.value(file) == large);
  CHECK(std::filesystem::symlink_status(place.side_file(file)).type() ==
        std::filesystem::file_type::regular);
  CHECK(place.marks.set(file.get(), "user.second", bytes(large)).error() == Errno(ENOSPC));
  CHECK(place.marks.set(file.get(), kName, bytes(large + "1")).error() == Errno(E2BIG));
  CHECK(place.value(file) == large);
  REQUIRE(place.marks.set(file.get(), kName, bytes("small")));
  CHECK(place.value(file) == "small");
  CHECK(std::filesystem::is_symlink(place.side_file(file)));
}

TEST_CASE("a new file has nothing of a dead one with its number", "[marks]") {
  const Place place;
  const sys::Fd file = place.file("file");
  REQUIRE(place.marks.set(file.get(), "user.overlay.metacopy", {}));
  REQUIRE(place.marks.set_first(file.get(), kName, bytes("red")));  // as if it were new
  CHECK(place.names(file) == std::string("user.color\0", 11));
  place.marks.forget(
      std::filesystem::hard_link_count(place.scratch.path() + "/file"));  // of nobody
  CHECK(place.value(file) == "red");
  struct stat st {};
  REQUIRE(::fstat(file.get(), &st) == 0);
  place.marks.forget(st.st_ino);
  CHECK(place.names(file).empty());
}

TEST_CASE("all names of a file have its marks, and no other file", "[marks]") {
  const Place place;
  const sys::Fd file = place.file("file");
  REQUIRE(::link((place.scratch.path() + "/file").c_str(),
                 (place.scratch.path() + "/second").c_str()) == 0);
  REQUIRE(::rename((place.scratch.path() + "/file").c_str(),
                   (place.scratch.path() + "/moved").c_str()) == 0);
  REQUIRE(place.marks.set(file.get(), kName, bytes("red")));
  CHECK(place.value(place.file("second")) == "red");
  CHECK(place.value(place.file("moved")) == "red");
  CHECK(place.value(place.file("other")) == error(ENODATA));
}

TEST_CASE("damaged side files are an error, whatever lies there", "[marks]") {
  const Place place;
  const sys::Fd file = place.file("file");
  const std::string path = place.side_file(file);
  SECTION("a symlink to somewhere") { REQUIRE(::symlink("/etc/passwd", path.c_str()) == 0); }
  SECTION("a symlink longer than ours") {
    REQUIRE(::symlink(("1user.a=" + std::string(2000, 'x') + ";").c_str(), path.c_str()) == 0);
  }
  SECTION("an empty file") { std::ofstream{path}; }
  SECTION("a file of another kind") { std::ofstream{path} << "hello"; }
  SECTION("a fifo") { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }
  SECTION("a directory") { REQUIRE(::mkdir(path.c_str(), 0700) == 0); }
  SECTION("a large file of holes") {
    std::ofstream{path} << "1";
    REQUIRE(::truncate(path.c_str(), off_t{1} << 40) == 0);
  }
  CHECK(place.value(file) == error(EIO));
  CHECK(place.names(file) == error(EIO));
  CHECK(place.marks.set(file.get(), kName, bytes("red")).error() == Errno(EIO));
}

TEST_CASE("what a killed server was writing is in nobody's way", "[marks]") {
  const Place place;
  const sys::Fd file = place.file("file");
  SECTION("a symlink") {
    REQUIRE(::symlink("1a=b;", (place.scratch.path() + "/marks/new").c_str()) == 0);
  }
  SECTION("a file") { std::ofstream{place.scratch.path() + "/marks/new"} << "1a"; }
  REQUIRE(place.marks.set(file.get(), kName, bytes("red")));
  REQUIRE(place.marks.set(file.get(), "user.large", bytes(std::string(5000, 'x'))));
  CHECK(place.value(file) == "red");
  CHECK_FALSE(std::filesystem::exists(place.scratch.path() + "/marks/new"));
}

}  // namespace sbx::overlay::test
