#include "layer/squash_codec.hpp"

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

namespace sbx::layer::test {

TEST_CASE("a block is decompressed into what is big enough for it", "[squash_codec]") {
  const std::string text(5000, 'z');
  std::string packed(1000, '\0');
  packed.resize(::ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  SquashCodec codec = SquashCodec::make(6, 8192).value();
  const auto in = std::as_bytes(std::span(packed));
  std::vector<std::byte> out(8192);
  CHECK(codec.decode(in, out).value() == text.size());
  CHECK(static_cast<char>(out[4999]) == 'z');
  CHECK(codec.decode(in, std::span(out).first(4000)).error() == Errno(EIO));
  CHECK(codec.decode(in.first(in.size() - 3), out).error() == Errno(EIO));
}

TEST_CASE("gzip blocks are zlib streams, with their checksum compared", "[squash_codec]") {
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    text += std::to_string(i * 7919);
  }
  text.resize(131072, 'x');
  std::string packed(::compressBound(text.size()), '\0');
  uLongf size = packed.size();
  REQUIRE(::compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                      reinterpret_cast<const Bytef*>(text.data()), text.size(), 9) == Z_OK);
  packed.resize(size);
  SquashCodec codec = SquashCodec::make(1, 131072).value();
  std::vector<std::byte> out(131072);
  const auto decode = [&](const std::string& bytes, std::size_t room) {
    return codec.decode(std::as_bytes(std::span(bytes)), std::span(out).first(room));
  };
  CHECK(decode(packed, out.size()).value() == text.size());
  CHECK(std::memcmp(out.data(), text.data(), text.size()) == 0);
  CHECK(!decode(packed, out.size() - 1));
  CHECK(!decode(packed.substr(0, packed.size() / 2), out.size()));
  CHECK(!decode("", out.size()));
  for (const std::size_t at : {std::size_t{0}, packed.size() / 2, packed.size() - 1}) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
    CHECK(!decode(damaged, out.size()));
  }
  CHECK(decode(packed, out.size()).value() == text.size());
}

TEST_CASE("methods that are not there are named", "[squash_codec]") {
  CHECK(SquashCodec::make(0, 4096).error().code == ErrorCode::kUnsupported);
  CHECK(SquashCodec::make(77, 4096).error().code == ErrorCode::kUnsupported);
  CHECK(std::string(squash_compression_name(3)) == "lzo");
  CHECK(std::string(squash_compression_name(77)) == "unknown");
}

}  // namespace sbx::layer::test
