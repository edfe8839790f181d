#include "registry/ranges.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("Content-Range") {
  const auto range = parse_content_range("bytes 100-199/200");
  REQUIRE(range);
  CHECK(range->first == 100);
  CHECK(range->last == 199);
  CHECK(range->total == 200);
  const auto unknown = parse_content_range("bytes 0-0/*");
  REQUIRE(unknown);
  CHECK(!unknown->total);
}

TEST_CASE("a Content-Range that lies about itself is none") {
  for (const char* text : {"", "bytes", "bytes ", "bytes 5-4/10", "bytes 0-9/9", "bytes 0-9",
                           "bytes */10", "bytes -1-2/10", "bytes 0-9/-1", "bytes 0-9/10 ",
                           "octets 0-9/10", "bytes 0x0-9/10", "bytes 0-18446744073709551616/*",
                           "bytes 0--9/10", "bytes 0-9/10/10", "bytes  0-9/10", "bytes +0-9/10"}) {
    CAPTURE(text);
    CHECK(!parse_content_range(text));
  }
}

TEST_CASE("the Range of an unfinished upload") {
  CHECK(parse_upload_range("0-99") == 100);
  CHECK(parse_upload_range("bytes=0-99") == 100);
  CHECK(parse_upload_range("0-0") == 0);
  CHECK(!parse_upload_range("1-99"));
  CHECK(!parse_upload_range(""));
  CHECK(!parse_upload_range("0-"));
  CHECK(!parse_upload_range("0-18446744073709551615"));
}

TEST_CASE("counts are digits and nothing else") {
  CHECK(parse_count("0") == 0);
  CHECK(parse_count("18446744073709551615") == UINT64_MAX);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "18446744073709551616", "1e3", "0x1"}) {
    CAPTURE(text);
    CHECK(!parse_count(text));
  }
}
