#include "layer/chunked_vector.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

using sbx::layer::ChunkedVector;

TEST_CASE("what was put in stays where it is, over several pieces") {
  using Numbers = ChunkedVector<std::uint64_t>;
  STATIC_REQUIRE(Numbers::kPerChunk == 8192);
  Numbers numbers;
  CHECK(numbers.size() == 0);
  numbers.push_back(7);
  const std::uint64_t* first = &numbers[0];
  constexpr std::size_t kMany = 3 * Numbers::kPerChunk + 1;
  for (std::size_t i = 1; i < kMany; ++i) {
    numbers.push_back(i);
  }
  CHECK(&numbers[0] == first);
  numbers[Numbers::kPerChunk] = 99;
  const Numbers& read = numbers;
  REQUIRE(read.size() == kMany);
  CHECK(read[0] == 7);
  CHECK(read[Numbers::kPerChunk - 1] == Numbers::kPerChunk - 1);
  CHECK(read[Numbers::kPerChunk] == 99);
  CHECK(read[kMany - 1] == kMany - 1);
}

TEST_CASE("a piece is a power of two of records and no more than 64 KiB") {
  struct Record {
    char bytes[48];
  };
  STATIC_REQUIRE(ChunkedVector<Record>::kPerChunk == 1024);
}
