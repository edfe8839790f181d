#include "layer/compressor.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>

using sbx::Result;
using sbx::layer::Compression;
using sbx::layer::Compressor;

namespace {

class StringSource final : public sbx::layer::ByteSource {
 public:
  explicit StringSource(const std::string& text) : text_(text) {}
  Result<std::size_t> read(std::span<std::byte> data) override {
    const std::size_t size = std::min(data.size(), text_.size() - at_);
    std::memcpy(data.data(), text_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

std::string compress(Compression kind, const std::string& text, std::size_t step) {
  std::string out;
  const auto compressor = Compressor::make(kind, [&out](std::span<const std::byte> data) {
    out.append(reinterpret_cast<const char*>(data.data()), data.size());
    return Result<void>();
  });
  for (std::size_t at = 0; at < text.size(); at += step) {
    REQUIRE(compressor->feed(
        std::as_bytes(std::span(text).subspan(at)).first(std::min(step, text.size() - at))));
  }
  REQUIRE(compressor->finish());
  return out;
}

std::string decompress(const std::string& text) {
  StringSource source(text);
  const auto tar = sbx::layer::open_decompressor(source, {}, "text").value();
  std::string out;
  std::vector<std::byte> buffer(10000);
  for (;;) {
    const std::size_t got = tar->read(buffer).value();
    if (got == 0) {
      return out;
    }
    out.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string out(size, '\0');
  for (char& c : out) {
    c = static_cast<char>(random());
  }
  return out;
}

}  // namespace

TEST_CASE("what was compressed is itself again") {
  const std::string texts[] = {"", "a", std::string(3000000, 'z'), noise(1500000)};
  for (const Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kNone}) {
    for (const std::string& text : texts) {
      for (const std::size_t step : {std::size_t{1} << 18U, std::size_t{700001}}) {
        const std::string packed = compress(kind, text, step);
        CHECK(decompress(packed) == text);
        CHECK(compress(kind, text, step) == packed);
        if (kind != Compression::kNone) {
          CHECK(sbx::layer::sniff_compression(std::as_bytes(std::span(packed))).value() == kind);
        }
      }
    }
  }
}

TEST_CASE("a sink that fails ends it") {
  for (const Compression kind : {Compression::kGzip, Compression::kZstd, Compression::kNone}) {
    const auto compressor = Compressor::make(kind, [](std::span<const std::byte>) {
      return Result<void>(sbx::fail(sbx::Error::make(sbx::ErrorCode::kLimit, "write", "", "full")));
    });
    const std::string text = noise(4000000);
    Result<void> done = compressor->feed(std::as_bytes(std::span(text)));
    if (done) {
      done = compressor->finish();
    }
    CHECK(done.error().code == sbx::ErrorCode::kLimit);
  }
}
