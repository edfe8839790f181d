#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace sbx::registry {

/// When to try again, and how long to wait before.
struct RetryPolicy {
  int tries = 5;  // all of them together
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds longest_wait{60'000};  // also what a Retry-After is cut to
};

/// 429, 500, 502, 503, 504: may be over in a moment.
[[nodiscard]] bool is_passing(int status);

/// Retry-After (RFC 9110 10.2.3): seconds, or a date, which `now` is subtracted from. nullopt if it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view header, std::int64_t now);

/// How long before try number `done` + 1: first_wait doubled each time, of which a random part between a half and all
/// (`random` is uniform), but never less than what the registry asked for, nor more than longest_wait.
std::chrono::milliseconds wait_before_retry(const RetryPolicy& policy, int done,
                                            std::uint32_t random, std::chrono::milliseconds asked);

/// Sleeps in pieces of 100 ms, looking at `stop` between them. False if it said so.
bool sleep_unless(const std::function<bool()>& stop, std::chrono::milliseconds time);

}  // namespace sbx::registry
