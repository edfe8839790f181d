#pragma once

#include <chrono>
#include <optional>

#include "runtime/run_request.hpp"

namespace sbx::runtime {

/// When a container runs again after its end, and how long it waits before that; as docker. Pure.
class RestartRule {
 public:
  explicit RestartRule(const RestartOptions& options) : options_(options) {}

  /// After an end with this exit code, of a run that took `ran`, which nobody asked for. The pause before the next run: 100 ms, twice as
  /// long each time, a minute at most, and short again after a run of ten seconds. nullopt: there is none.
  std::optional<std::chrono::milliseconds> after_end(int exit_code, std::chrono::milliseconds ran);

 private:
  RestartOptions options_;
  unsigned restarts_ = 0;
  std::chrono::milliseconds pause_{0};
};

}  // namespace sbx::runtime
