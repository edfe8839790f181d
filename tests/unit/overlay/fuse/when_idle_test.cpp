#include "overlay/fuse/when_idle.hpp"

#include <catch2/catch.hpp>
#include <thread>

namespace sbx::overlay {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuiet = 200ms;

bool done_within(const WhenIdle& idle, unsigned times, std::chrono::milliseconds most) {
  for (auto waited = 0ms; idle.done() < times && waited < most; waited += 5ms) {
    std::this_thread::sleep_for(5ms);
  }
  return idle.done() >= times;
}

TEST_CASE("what is to be done when idle is done once after each pause") {
  std::atomic<unsigned> calls = 0;
  WhenIdle idle([&calls] { ++calls; }, kQuiet);
  idle.note();
  std::this_thread::sleep_for(2 * kQuiet);
  CHECK(calls == 0U);  // not started
  idle.start();
  idle.start();
  for (unsigned pause = 1; pause <= 3; ++pause) {
    idle.note();
    REQUIRE(done_within(idle, pause, 10'000ms));
    std::this_thread::sleep_for(3 * kQuiet);
    CHECK(calls == pause);
  }
}

TEST_CASE("nothing is done while requests come") {
  WhenIdle idle([] {}, 2000ms);
  idle.start();
  for (int i = 0; i < 300; ++i) {
    idle.note();
    std::this_thread::sleep_for(10ms);
  }
  CHECK(idle.done() == 0U);
}

TEST_CASE("waiting for a pause ends at once") {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    WhenIdle idle([] {}, 60'000ms);
    idle.note();
    idle.start();
  }
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}

TEST_CASE("requests of several threads wake it") {
  WhenIdle idle([] {}, 1ms);
  idle.start();
  std::thread other([&idle] {
    for (int i = 0; i < 200; ++i) {
      idle.note();
      std::this_thread::sleep_for(3ms);
    }
  });
  for (int i = 0; i < 200; ++i) {
    idle.note();
    std::this_thread::sleep_for(3ms);
  }
  other.join();
  const unsigned before = idle.done();
  idle.note();
  CHECK(done_within(idle, before + 1, 10'000ms));
}

}  // namespace
}  // namespace sbx::overlay
