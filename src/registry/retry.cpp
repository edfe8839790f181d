#include "registry/retry.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <string>
#include <thread>

#include "registry/ranges.hpp"

namespace sbx::registry {

bool is_passing(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view header, std::int64_t now) {
  constexpr std::int64_t kForever = 1'000'000'000;
  if (const std::optional<std::uint64_t> seconds = parse_count(header)) {
    return std::chrono::seconds(std::min(*seconds, static_cast<std::uint64_t>(kForever)));
  }
  if (header.empty() || header.size() > 64) {
    return std::nullopt;
  }
  const std::int64_t date = curl_getdate(std::string(header).c_str(), nullptr);
  if (date < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(date - now, 0, kForever));
}

std::chrono::milliseconds wait_before_retry(const RetryPolicy& policy, int done,
                                            std::uint32_t random, std::chrono::milliseconds asked) {
  const int doublings = std::clamp(done - 1, 0, 16);
  const std::int64_t full =
      std::min(policy.first_wait.count() << doublings, policy.longest_wait.count());
  const std::int64_t half = full / 2;
  const std::int64_t jittered =
      half + static_cast<std::int64_t>(static_cast<std::uint64_t>(full - half) * random >> 32U);
  return std::min(std::max(std::chrono::milliseconds(jittered), asked), policy.longest_wait);
}

bool sleep_unless(const std::function<bool()>& stop, std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds kPiece{100};
  while (time.count() > 0) {
    if (stop && stop()) {
      return false;
    }
    const std::chrono::milliseconds piece = std::min(time, kPiece);
    std::this_thread::sleep_for(piece);
    time -= piece;
  }
  return !stop || !stop();
}

}  // namespace sbx::registry
