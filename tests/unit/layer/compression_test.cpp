#include "layer/compression.hpp"

#include <zstd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <future>
#include <random>

#include "layer/byte_source.hpp"

using sbx::ErrorCode;
using sbx::Result;
using sbx::layer::ByteSource;
using sbx::layer::DecompressLimits;

namespace {

/// Gives its bytes in pieces of a chosen size.
class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string data, std::size_t step) : data_(std::move(data)), step_(step) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t size = std::min({out.size(), step_, data_.size() - at_});
    std::copy_n(std::as_bytes(std::span(data_)).begin() + static_cast<std::ptrdiff_t>(at_), size,
                out.begin());
    at_ += size;
    return size;
  }

 private:
  std::string data_;
  std::size_t step_;
  std::size_t at_ = 0;
};

Result<std::string> unpack(const std::string& data, std::size_t step = SIZE_MAX,
                           const DecompressLimits& limits = {}, std::size_t piece = 10'000) {
  MemorySource source(data, step);
  const auto plain = SBX_TRY(sbx::layer::open_decompressor(source, limits, "test"));
  std::string out;
  std::vector<std::byte> buffer(piece);
  for (;;) {
    const std::size_t got = SBX_TRY(plain->read(buffer));
    if (got == 0) {
      return out;
    }
    out.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string out;
  while (out.size() < size) {
    out += "line " + std::to_string(random() % 1000) + "\n";
  }
  return out;
}

std::string zstd(const std::string& data, int level = 3) {
  std::string out(ZSTD_compressBound(data.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), data.data(), data.size(), level));
  return out;
}

/// gzip members of stored blocks, with the checksum given: no compressor is needed for that.
std::string gzip_stored(const std::string& data, std::uint32_t crc) {
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
  const auto put16 = [&](std::uint32_t v) {
    out += {static_cast<char>(v & 255U), static_cast<char>(v >> 8U & 255U)};
  };
  out += '\1';
  put16(static_cast<std::uint32_t>(data.size()));
  put16(~static_cast<std::uint32_t>(data.size()));
  out += data;
  for (const std::uint32_t word : {crc, static_cast<std::uint32_t>(data.size())}) {
    put16(word);
    put16(word >> 16U);
  }
  return out;
}

const std::string kHello = gzip_stored("hello", 0x3610a686U);

}  // namespace

TEST_CASE("gzip members one after the other are one stream, in whatever pieces they come") {
  for (const std::size_t step : {1U, 2U, 3U, 7U, 18U, 100U}) {
    for (const std::size_t piece : {1U, 3U, 100U}) {
      CHECK(unpack(kHello + kHello + kHello, step, {}, piece).value() == "hellohellohello");
    }
  }
}

TEST_CASE("damaged gzip is refused") {
  std::string wrong = kHello;
  wrong[16] = 'x';
  CHECK(unpack(wrong).error().code == ErrorCode::kCorrupt);
  CHECK(unpack(kHello + "garbage").error().code == ErrorCode::kCorrupt);
  for (std::size_t size = 9; size < kHello.size(); ++size) {
    CHECK(unpack(kHello.substr(0, size), 4).error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("zstd frames one after the other are one stream") {
  const std::string text = sample(300'000);
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, SIZE_MAX}) {
    CHECK(unpack(zstd(text) + zstd("more"), step).value() == text + "more");
  }
  const std::string skippable("\x50\x2a\x4d\x18\3\0\0\0abc", 11);
  CHECK(unpack(skippable + zstd("x") + skippable).value() == "x");
}

TEST_CASE("damaged zstd is refused") {
  const std::string good = zstd(sample(100'000));
  for (const std::size_t size : {good.size() / 2, good.size() - 1}) {
    CHECK(unpack(good.substr(0, size)).error().code == ErrorCode::kCorrupt);
  }
  CHECK(unpack(good + "garbage").error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a zstd window is taken up to 32 MiB, and one large one at a time") {
  const auto window = [](std::string_view header) {
    return sbx::layer::zstd_window(std::as_bytes(std::span(header.data(), header.size())));
  };
  const std::string magic = "\x28\xb5\x2f\xfd";
  CHECK(window(magic + std::string("\x00\x58", 2)) == 2U << 20U);
  CHECK(window(magic + std::string("\x00\x59", 2)) == (2U << 20U) / 8 * 9);
  CHECK(window(magic + "\x20\x07") == 7);  // single segments
  CHECK(window(magic + std::string("\x60\x01\x01", 3)) == 257 + 256);
  CHECK(window(magic + std::string("\xa1\xff\0\0\0\x04", 6)) == 64U << 20U);  // with a dictionary
  CHECK(window(magic + std::string("\xe0\0\0\0\0\0\0\0\x01", 9)) == 1ULL << 56U);
  CHECK(window(std::string("\x50\x2a\x4d\x18\3\0\0\0", 8)) == 0);
  CHECK(window(magic) == 1024);  // cut off: nothing follows that could be decompressed

  const auto error = unpack(magic + std::string("\x00\x88\0\0\0", 5)).error();
  CHECK(error.code == ErrorCode::kLimit);
  CHECK(error.reason == "it needs a zstd window of 128 MiB, more than 32");

  std::mutex turn;
  DecompressLimits limits;
  limits.large_window = &turn;
  MemorySource source(magic + std::string("\x00\x78\1\0\0", 5) +
                          zstd("x"),  // 32 MiB, an empty last block; and a small one
                      SIZE_MAX);
  {
    const auto plain = sbx::layer::open_decompressor(source, limits, "test").value();
    CHECK(turn.try_lock());
    turn.unlock();
    std::vector<std::byte> buffer(10);
    CHECK(plain->read(buffer).value() == 1);
    CHECK_FALSE(std::async(std::launch::async, [&] { return turn.try_lock(); }).get());
  }
  CHECK(turn.try_lock());
  turn.unlock();
}

TEST_CASE("what is not compressed passes, other formats are refused by name") {
  CHECK(unpack("plain text", 3).value() == "plain text");
  CHECK(unpack("").value().empty());
  CHECK(unpack(std::string("\xFD"
                           "7zXZ\0...",
                           9))
            .error()
            .reason == "layers compressed by xz are not supported");
  CHECK(unpack("BZh91AY").error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a decompression bomb stops at its limits") {
  const std::string bomb = zstd(std::string(20U << 20U, '\0'), 19);
  DecompressLimits small;
  small.bytes = 1U << 20U;
  CHECK(unpack(bomb, SIZE_MAX, small).error().code == ErrorCode::kLimit);
  DecompressLimits ratio;
  ratio.ratio_floor = 1U << 20U;
  CHECK(unpack(bomb, SIZE_MAX, ratio).error().code == ErrorCode::kLimit);
  CHECK(unpack(bomb).value().size() == 20U << 20U);
}
