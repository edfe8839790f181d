#include "layer/packed_stream.hpp"

#include <catch2/catch.hpp>
#include <limits>

using sbx::layer::PackedStream;

TEST_CASE("numbers of all sizes come back, small ones in one byte") {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const std::vector<std::uint64_t> numbers = {0,     1,           127,         128,  16383,
                                              16384, 1ULL << 35U, 1ULL << 63U, kMost};
  PackedStream stream;
  for (std::size_t i = 0; i < 3; ++i) {
    stream.number(numbers[i]);
  }
  CHECK(stream.size() == 3);
  for (std::size_t i = 3; i < numbers.size(); ++i) {
    stream.number(numbers[i]);
  }
  PackedStream::Reader reader(stream);
  for (const std::uint64_t number : numbers) {
    CHECK(reader.number() == number);
  }
  CHECK(reader.at_end());
}

TEST_CASE("any two numbers have a difference, near ones in one byte") {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs = {
      {5, 5},     {100, 163},       {100, 36},        {0, kMost},
      {kMost, 0}, {0, 1ULL << 63U}, {1ULL << 63U, 0}, {1000, 2}};
  PackedStream stream;
  for (const auto& [from, to] : pairs) {
    stream.difference(from, to);
    if (to == 36) {
      CHECK(stream.size() == 3);
    }
  }
  PackedStream::Reader reader(stream);
  for (const auto& [from, to] : pairs) {
    CHECK(reader.difference(from) == to);
  }
  CHECK(reader.at_end());
}

TEST_CASE("texts that are longer than a piece, and paths that share their beginning") {
  PackedStream stream;
  const std::string large(100'000, 'x');
  stream.text(large);
  stream.text("");
  const std::vector<std::string> paths = {
      "", "usr/share/doc", "usr/share/doc/a", "usr/share/doc", "usr/lib", "", "x"};
  std::string before;
  for (const std::string& path : paths) {
    stream.text_after(before, path);
    before = path;
  }
  CHECK(stream.size() == 100'003 + 1 + paths.size() * 2 + 13 + 2 + 0 + 3 + 1);
  PackedStream::Reader reader(stream);
  std::string text = "old";
  reader.text(text);
  CHECK(text == large);
  reader.text(text);
  CHECK(text.empty());
  for (const std::string& path : paths) {
    reader.text_after(text);
    CHECK(text == path);
  }
  CHECK(reader.at_end());
}
