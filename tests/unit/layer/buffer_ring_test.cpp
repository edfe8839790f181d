#include "layer/buffer_ring.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <future>
#include <thread>

using sbx::layer::BufferRing;

TEST_CASE("every consumer sees every byte in order") {
  BufferRing ring(3, 16, 2);
  std::string seen[2];
  {
    std::vector<std::jthread> consumers;
    for (std::size_t i = 0; i < 2; ++i) {
      consumers.emplace_back([&, i] {
        while (const auto buffer = ring.next(i)) {
          seen[i].append(reinterpret_cast<const char*>(buffer->data()), buffer->size());
          ring.release(i);
        }
      });
    }
    for (int i = 0; i < 1000; ++i) {
      const std::string text = std::to_string(i);
      std::memcpy(ring.acquire().data(), text.data(), text.size());
      ring.publish(text.size());
    }
    ring.finish();
  }
  std::string wanted;
  for (int i = 0; i < 1000; ++i) {
    wanted += std::to_string(i);
  }
  CHECK(seen[0] == wanted);
  CHECK(seen[1] == wanted);
}

TEST_CASE("cancelling wakes a producer that waits for room and a consumer that waits for bytes") {
  BufferRing ring(1, 16, 2);
  std::promise<void> first_seen;
  bool first = false;
  bool second = true;
  {
    const std::jthread consumer([&] {  // Catch2 asserts in one thread only
      first = ring.next(0).has_value();
      ring.release(0);
      first_seen.set_value();
      second = ring.next(0).has_value();
    });
    (void)ring.acquire();
    ring.publish(1);
    const std::jthread canceller([&] {
      first_seen.get_future().wait();
      ring.cancel();
    });
    CHECK(ring.acquire().empty());  // consumer 1 never releases
    CHECK(ring.cancelled());
  }
  CHECK(first);
  CHECK_FALSE(second);
}
