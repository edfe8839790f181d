#include "runtime/restart_rule.hpp"

#include <algorithm>

namespace sbx::runtime {
namespace {

using std::chrono::milliseconds;

// moby/restartmanager.
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{60'000};
constexpr milliseconds kGoodRun{10'000};

}  // namespace

std::optional<milliseconds> RestartRule::after_end(int exit_code, milliseconds ran) {
  const bool failed = exit_code != 0;
  const bool wanted = options_.policy == RestartPolicy::kOnFailure
                          ? failed && (options_.most == 0 || restarts_ < options_.most)
                          : options_.policy != RestartPolicy::kNo;
  if (!wanted) {
    return std::nullopt;
  }
  ++restarts_;
  pause_ = ran >= kGoodRun || pause_ == milliseconds(0) ? kFirstPause
                                                        : std::min(pause_ * 2, kLongestPause);
  return pause_;
}

}  // namespace sbx::runtime
