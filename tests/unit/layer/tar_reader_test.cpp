#include "layer/tar_reader.hpp"

#include <sys/sysmacros.h>

#include <catch2/catch.hpp>

#include "tar_builder.hpp"

using sbx::ErrorCode;
using sbx::Result;
using sbx::layer::EntryType;
using sbx::layer::TarEntry;
using sbx::layer::TarReader;
using sbx::test::pax_record;
using sbx::test::tar_end;
using sbx::test::tar_header;
using sbx::test::tar_member;

namespace {

Result<std::vector<TarEntry>> read_all(std::string_view tar, std::size_t step = SIZE_MAX) {
  std::vector<TarEntry> entries;
  TarReader reader([&](const TarEntry& entry) -> Result<void> {
    entries.push_back(entry);
    return {};
  });
  while (!tar.empty()) {
    const std::string_view part = tar.substr(0, step);
    SBX_TRY(reader.feed(std::as_bytes(std::span(part))));
    tar.remove_prefix(part.size());
  }
  SBX_TRY(reader.finish());
  return entries;
}

TarEntry read_one(const std::string& tar) {
  const auto entries = read_all(tar + tar_end(), 77);
  if (!entries) {
    FAIL(entries.error().message());
  }
  REQUIRE(entries->size() == 1);
  return entries->front();
}

ErrorCode code_of(const std::string& tar) {
  const auto entries = read_all(tar);
  REQUIRE_FALSE(entries);
  return entries.error().code;
}

std::string with_pax(const std::string& records, const std::string& member, char type = 'x') {
  return tar_member({"pax", type, "", records}) + member;
}

}  // namespace

TEST_CASE("a plain file and where its data lies") {
  const TarEntry e = read_one(tar_member({"./dir//file", '0', "", "hello"}));
  CHECK(e.path == "dir/file");
  CHECK(e.type == EntryType::kRegular);
  CHECK(e.mode == 0644);
  CHECK(e.size == 5);
  CHECK(e.data_offset == 512);
}

TEST_CASE("each type of entry") {
  CHECK(read_one(tar_member({"d/", '5'})).type == EntryType::kDirectory);
  CHECK(read_one(tar_member({"d/", '\0'})).type == EntryType::kDirectory);
  CHECK(read_one(tar_member({"f", '7', "", "x"})).size == 1);
  CHECK(read_one(tar_member({"s", '2', "../target/"})).link == "../target/");
  CHECK(read_one(tar_member({"h", '1', "./a//b"})).link == "a/b");
  CHECK(read_one(tar_member({"c", '3'})).rdev == makedev(1, 3));
  CHECK(read_one(tar_member({"b", '4'})).type == EntryType::kBlockDevice);
  CHECK(read_one(tar_member({"p", '6'})).type == EntryType::kFifo);
  CHECK(code_of(tar_member({"m", 'M'})) == ErrorCode::kUnsupported);
}

TEST_CASE("links have no body whatever their size says, as in Go's reader") {
  const std::string tar = tar_header({"a", '1', "b", "", "0000644", "0000000", "00000001000"}) +
                          tar_member({"next", '0', "", "x"}) + tar_end();
  const auto entries = read_all(tar);
  REQUIRE(entries);
  CHECK(entries->size() == 2);
}

TEST_CASE("numbers in base 256, positive, negative and too large") {
  const std::string big("\x80\0\0\0\0\x2d\xc6\xc0", 8);  // 3000000
  CHECK(read_one(tar_member({"a", '0', "", "", "0000644", big})).uid == 3'000'000);
  const std::string negative("\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
  CHECK(code_of(tar_member({"a", '0', "", "", "0000644", negative})) == ErrorCode::kCorrupt);
  const std::string no_change("\x80\0\0\0\xff\xff\xff\xff", 8);  // 2^32-1
  CHECK(code_of(tar_member({"a", '0', "", "", "0000644", no_change})) == ErrorCode::kCorrupt);
  const std::string huge("\xc0\0\0\0\0\0\0\0\0\0\0\0", 12);
  CHECK(code_of(tar_member({"a", '0', "", "", "0000644", "0000000", huge})) == ErrorCode::kCorrupt);
  const std::string overflow("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
  CHECK(code_of(tar_member({"a", '0', "", "", "0000644", "0000000", overflow})) ==
        ErrorCode::kCorrupt);
}

TEST_CASE("GNU long names and links hold for one entry") {
  const std::string name(300, 'n');
  const std::string tar =
      tar_member({"././@LongLink", 'L', "", std::string(200, 'a') + '\0' + "junk"}) +
      tar_member({"././@LongLink", 'K', "", std::string(180, 't')}) + tar_member({"x", '2', "x"}) +
      tar_member({"short", '0'}) + tar_end();
  const auto entries = read_all(tar);
  REQUIRE(entries);
  CHECK(entries->at(0).path == std::string(200, 'a'));
  CHECK(entries->at(0).link == std::string(180, 't'));
  CHECK(entries->at(1).path == "short");
}

TEST_CASE("PAX overrides the header, a global header lies beneath it") {
  const std::string records = pax_record("path", "long/name") + pax_record("mtime", "-1.25") +
                              pax_record("uid", "7") +
                              pax_record("SCHILY.xattr.user.a", std::string("\0=\n", 3)) +
                              pax_record("LIBARCHIVE.xattr.user.b%3D", "dmFs");
  const TarEntry e = read_one(with_pax(pax_record("gid", "9") + pax_record("uid", "1"),
                                       with_pax(records, tar_member({"x", '0'})), 'g'));
  CHECK(e.path == "long/name");
  CHECK(e.uid == 7);
  CHECK(e.gid == 9);
  CHECK(e.mtime_sec == -2);
  CHECK(e.mtime_nsec == 750'000'000);
  REQUIRE(e.xattrs.size() == 2);
  CHECK(e.xattrs[0].second == std::string("\0=\n", 3));
  CHECK(e.xattrs[1] == std::pair<std::string, std::string>("user.b=", "val"));
}

TEST_CASE("a PAX size larger than octal can say") {
  const std::string tar = with_pax(
      pax_record("size", "3"), tar_header({"x", '0', "", "", "0000644", "0000000", "00000000000"}) +
                                   "abc" + std::string(509, '\0'));
  CHECK(read_one(tar).size == 3);
}

TEST_CASE("hostile PAX headers are refused") {
  const std::string file = tar_member({"x", '0'});
  for (const std::string& records :
       {std::string("9999 path=x\n"), std::string("5 a=b"), std::string("-5 a=b\n"),
        std::string("6 =ab\n"), pax_record("path", std::string("a\0b", 3)),
        pax_record("path", "../x"), pax_record("size", "-1"), pax_record("uid", "4294967295"),
        pax_record("mtime", "1.x"),
        pax_record("GNU.sparse.offset", "1") + pax_record("GNU.sparse.offset", "2"),
        pax_record("SCHILY.xattr.", "x"),
        pax_record("SCHILY.xattr." + std::string(300, 'n'), "x")}) {
    CHECK_FALSE(read_all(with_pax(records, file) + tar_end()));
  }
  CHECK(code_of(with_pax(pax_record("path", "evil"), file, 'g')) == ErrorCode::kCorrupt);
  CHECK(code_of(with_pax(pax_record("comment", std::string(2U << 20U, 'x')), file)) ==
        ErrorCode::kLimit);
  CHECK(code_of(tar_member({"pax", 'x', "", pax_record("path", "a")}) + tar_end()) ==
        ErrorCode::kCorrupt);
}

TEST_CASE("sparse maps of all formats name the same bytes") {
  const std::string data(1024, 'd');
  const std::string common = pax_record("GNU.sparse.size", "9000");
  const TarEntry v00 = read_one(with_pax(
      common + pax_record("GNU.sparse.numblocks", "2") + pax_record("GNU.sparse.offset", "512") +
          pax_record("GNU.sparse.numbytes", "512") + pax_record("GNU.sparse.offset", "4096") +
          pax_record("GNU.sparse.numbytes", "512"),
      tar_member({"f", '0', "", data})));
  const TarEntry v01 = read_one(with_pax(common + pax_record("GNU.sparse.name", "f") +
                                             pax_record("GNU.sparse.map", "512,512,4096,512"),
                                         tar_member({"other", '0', "", data})));
  std::string map = "2\n512\n512\n4096\n512\n";
  map.resize(512, '\0');
  const TarEntry v10 = read_one(
      with_pax(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") +
                   pax_record("GNU.sparse.name", "f") + pax_record("GNU.sparse.realsize", "9000"),
               tar_member({"other", '0', "", map + data})));
  for (const TarEntry* e : {&v00, &v01, &v10}) {
    CHECK(e->path == "f");
    CHECK(e->sparse);
    CHECK(e->size == 9000);
    REQUIRE(e->extents.size() == 2);
    CHECK(e->extents[1].file_offset == 4096);
    CHECK(e->extents[1].tar_offset == e->data_offset + 512);
  }
  CHECK(v10.data_offset == 512 * 4);
}

TEST_CASE("sparse maps that lie are refused") {
  const std::string data(1024, 'd');
  for (const char* map : {"0,1024,0,0,1", "512,512,0,512", "0,512", "0,2048", "8999,1024",
                          "0,9223372036854775807,1,1", "-1,1024", "x"}) {
    CHECK_FALSE(
        read_all(with_pax(pax_record("GNU.sparse.size", "9000") + pax_record("GNU.sparse.map", map),
                          tar_member({"f", '0', "", data})) +
                 tar_end()));
  }
  std::string endless = "9\n" + std::string(510, '1');
  CHECK_FALSE(
      read_all(with_pax(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") +
                            pax_record("GNU.sparse.realsize", "9"),
                        tar_member({"f", '0', "", endless})) +
               tar_end()));
}

TEST_CASE("what readers could disagree about is refused") {
  const std::string file = tar_member({"x", '0'});
  CHECK(code_of(file + std::string(512, '\0') + file) == ErrorCode::kCorrupt);
  std::string broken = file;
  broken[0] = 'y';
  CHECK(code_of(broken) == ErrorCode::kCorrupt);
  CHECK(read_all(file));                                   // no end at all
  CHECK(read_all(file + std::string(512, '\0')));          // half an end
  CHECK(read_all(file + tar_end() + "anything follows"));  // what follows the end is nothing
}

TEST_CASE("a tar that stops inside of an entry is refused wherever it stops") {
  const std::string tar =
      with_pax(pax_record("path", "p"), tar_member({"x", '0', "", std::string(700, 'd')}));
  for (std::size_t size = 1; size < tar.size(); ++size) {
    CHECK_FALSE(read_all(std::string_view(tar).substr(0, size)));
  }
  CHECK(read_all(tar));
}

TEST_CASE("who can seek may skip file data") {
  const std::string tar =
      tar_member({"a", '0', "", std::string(100'000, 'd')}) + tar_member({"b", '0'}) + tar_end();
  std::vector<std::string> seen;
  std::size_t fed = 0;
  TarReader reader([&](const TarEntry& e) -> Result<void> {
    seen.push_back(e.path);
    return {};
  });
  for (std::size_t at = 0; at < tar.size();) {
    if (const auto pass = std::min<std::uint64_t>(reader.skippable(), tar.size() - at); pass != 0) {
      reader.skip(pass);
      at += pass;
      continue;
    }
    REQUIRE(reader.feed(std::as_bytes(std::span(tar).subspan(at, 512))));
    at += 512;
    ++fed;
  }
  CHECK(reader.finish());
  CHECK(seen == std::vector<std::string>{"a", "b"});
  CHECK(fed == 4);
}
