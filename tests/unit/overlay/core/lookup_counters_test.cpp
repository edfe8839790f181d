#include "overlay/core/lookup_counters.hpp"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace sbx::overlay {
namespace {

constexpr std::size_t kPage = 4096;

/// Keeps a view of the memory.
struct Counted {
  explicit Counted(std::size_t count) : Counted(LookupCounters::make_memory(count).value()) {}
  /// How many of its pages are in memory.
  [[nodiscard]] std::size_t pages() const {
    std::vector<unsigned char> resident((bytes.size() + kPage - 1) / kPage);
    REQUIRE(::mincore(bytes.data(), bytes.size(), resident.data()) == 0);
    std::size_t count = 0;
    for (const unsigned char page : resident) {
      count += page & 1U;
    }
    return count;
  }

  std::span<std::byte> bytes;
  LookupCounters counters;

 private:
  explicit Counted(sys::AnonymousBuffer memory)
      : bytes(memory.bytes()), counters(std::move(memory)) {}
};

TEST_CASE("lookups are counted, however many") {
  Counted all(10);
  LookupCounters& counters = all.counters;
  CHECK(counters.get(3) == 0);
  counters.add(3, 1);
  counters.add(4, 254);
  counters.add(5, 255);
  counters.add(6, std::uint64_t{1} << 40);
  CHECK(counters.get(3) == 1);
  CHECK(counters.get(4) == 254);
  CHECK(counters.get(5) == 255);
  CHECK(counters.get(6) == std::uint64_t{1} << 40);
  counters.add(4, 1);
  counters.add(4, 1);
  CHECK(counters.get(4) == 256);
  CHECK(counters.drop(4, 100) == 156);
  CHECK(counters.drop(4, 50) == 106);  // in a byte again
  counters.add(4, 200);
  CHECK(counters.get(4) == 306);
  CHECK(counters.drop(4, 306) == 0);
  CHECK(counters.get(4) == 0);
  CHECK(counters.drop(6, (std::uint64_t{1} << 40) - 1) == 1);
  CHECK(counters.drop(3, 1) == 0);
  CHECK(counters.drop(3, 1) == 0);  // nobody asks for more than there is, but if he did
  CHECK(counters.drop(5, 1000) == 0);
}

TEST_CASE("only pages of zeros are given back") {
  Counted all(10 * kPage + 7);
  LookupCounters& counters = all.counters;
  CHECK(all.pages() == 0);
  for (const std::size_t index : {std::size_t{0}, 3 * kPage - 1, 5 * kPage, 10 * kPage + 6}) {
    counters.add(index, 2);
  }
  CHECK(all.pages() == 4);
  counters.release_zeros();
  CHECK(all.pages() == 4);
  CHECK(counters.drop(0, 2) == 0);
  CHECK(counters.drop(3 * kPage - 1, 1) == 1);
  CHECK(counters.drop(10 * kPage + 6, 2) == 0);
  counters.release_zeros();
  CHECK(all.pages() == 2);
  CHECK(counters.get(3 * kPage - 1) == 1);
  CHECK(counters.get(5 * kPage) == 2);
  CHECK(counters.get(0) == 0);
  counters.add(0, 1);
  CHECK(counters.get(0) == 1);
}

TEST_CASE("lookups are counted by several threads") {
  Counted all(2);
  constexpr int kRounds = 20'000;
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&all] {
      for (int round = 0; round < kRounds; ++round) {
        all.counters.add(0, 100);  // over the edge and back
        all.counters.add(1, 3);
        (void)all.counters.drop(0, 99);
        (void)all.counters.drop(1, 3);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(all.counters.get(0) == std::uint64_t{kRounds} * kThreads);
  CHECK(all.counters.get(1) == 0);
}

}  // namespace
}  // namespace sbx::overlay
