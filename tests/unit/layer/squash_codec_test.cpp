#include "layer/squash_codec.hpp"

#include <zstd.h>

#include <catch2/catch.hpp>
#include <string>

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

TEST_CASE("methods that are not there are named", "[squash_codec]") {
  CHECK(SquashCodec::make(0, 4096).error().code == ErrorCode::kUnsupported);
  CHECK(SquashCodec::make(77, 4096).error().code == ErrorCode::kUnsupported);
  CHECK(std::string(squash_compression_name(3)) == "lzo");
  CHECK(std::string(squash_compression_name(77)) == "unknown");
}

}  // namespace sbx::layer::test
