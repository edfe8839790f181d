#include "overlay/fuse/stay_awake.hpp"

#include <sys/resource.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

namespace sbx::overlay {
namespace {

using namespace std::chrono_literals;

void note(StayAwake& awake, std::uint32_t client, std::uint32_t times) {
  for (std::uint32_t i = 0; i < times; ++i) {
    awake.note(client);
  }
}

bool sleeps_within(const StayAwake& awake, std::chrono::milliseconds time) {
  for (auto waited = 0ms; awake.spins() && waited < time; waited += 1ms) {
    std::this_thread::sleep_for(1ms);
  }
  return !awake.spins();
}

std::chrono::microseconds processor_time() {
  struct rusage used {};
  (void)::getrusage(RUSAGE_SELF, &used);
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

TEST_CASE("staying awake begins for one client only") {
  StayAwake awake(true);
  for (std::uint32_t i = 0; i < 10 * StayAwake::kRow; ++i) {
    awake.note(1 + i % 2);
  }
  CHECK(awake.begun() == 0U);
  note(awake, 7, StayAwake::kRow);  // the first one tells who it is
  CHECK(awake.begun() == 0U);
  awake.note(7);
  CHECK(awake.begun() == 1U);
}

TEST_CASE("the kernel's own requests keep nothing awake") {
  StayAwake awake(true);
  for (std::uint32_t i = 0; i <= StayAwake::kRow; ++i) {
    awake.note(7);
    awake.note(0);
  }
  CHECK(awake.begun() == 1U);
}

TEST_CASE("staying awake does nothing where it is of no use") {
  StayAwake awake(false);
  note(awake, 7, 100 * StayAwake::kRow);
  CHECK(awake.begun() == 0U);
}

TEST_CASE("staying awake sleeps once nobody asks and begins again") {
  StayAwake awake(true);
  note(awake, 7, StayAwake::kRow + 1);
  REQUIRE(awake.begun() == 1U);
  REQUIRE(sleeps_within(awake, 10'000ms));
  note(awake, 7, StayAwake::kRow + 1);
  CHECK(awake.begun() > 1U);
}

TEST_CASE("staying awake costs nothing once nobody asks") {
  StayAwake awake(true);
  note(awake, 7, StayAwake::kRow + 1);
  REQUIRE(sleeps_within(awake, 10'000ms));
  const auto before = processor_time();
  std::this_thread::sleep_for(500ms);
  CHECK(processor_time() - before < 100ms);
}

TEST_CASE("staying awake ends at once") {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    StayAwake awake(true);
    note(awake, 7, StayAwake::kRow + 1);
  }
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}

}  // namespace
}  // namespace sbx::overlay
