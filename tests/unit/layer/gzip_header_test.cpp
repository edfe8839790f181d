#include "layer/gzip_header.hpp"

#include <catch2/catch.hpp>
#include <string>

using sbx::layer::GzipHeader;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// With a name and a checksum, as no tool in use writes it, and all of the format's fields.
const std::string kFixed("\x1f\x8b\x08\x1e\0\0\0\0\0\3", 10);
const std::string kExtra("\2\0xy", 4);
const std::string kName("a name\0", 7);
const std::string kComment("comment\0", 8);
const std::string kChecksum("\x09\x82", 2);  // the low half of Python's zlib.crc32() of the above
const std::string kAll = kFixed + kExtra + kName + kComment + kChecksum;

}  // namespace

TEST_CASE("a header is taken, in whatever pieces it comes, and no byte behind it") {
  for (std::size_t step = 1; step < kAll.size() + 4; ++step) {
    const std::string data = kAll + "body";
    GzipHeader header;
    CHECK_FALSE(header.begun());
    std::size_t taken = 0;
    while (!header.done() && header.broken().empty()) {
      taken += header.feed(bytes(std::string_view(data).substr(taken, step)));
    }
    CHECK(header.broken() == "");
    CHECK(taken == kAll.size());
    CHECK(header.feed(bytes("more")) == 0);
  }
  GzipHeader plain;
  CHECK(plain.feed(bytes(std::string("\x1f\x8b\x08\0\0\0\0\0\0\3x", 11))) == 10);
  CHECK(plain.done());
  GzipHeader no_extra_bytes;
  CHECK(no_extra_bytes.feed(bytes(std::string("\x1f\x8b\x08\4\0\0\0\0\0\3\0\0x", 13))) == 12);
  CHECK(no_extra_bytes.done());
}

TEST_CASE("what is no header, or a damaged one") {
  const auto broken = [](const std::string& data) {
    GzipHeader header;
    (void)header.feed(bytes(data));
    return !header.broken().empty() && !header.done();
  };
  CHECK(broken("garbage"));
  CHECK(broken(std::string("\x1f\x8b\x07", 3)));
  CHECK(broken(std::string("\x1f\x8b\x08\x20", 4)));
  std::string wrong = kAll;
  wrong.back() ^= 1;
  CHECK(broken(wrong));
  CHECK(broken(kFixed + kExtra + std::string(300'000, 'n')));
  CHECK_FALSE(broken(kAll.substr(0, kAll.size() - 1)));
}
