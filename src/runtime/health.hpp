#pragma once

// Whether a container works, as its health checks tell; docker's rules. Pure.

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "runtime/run_request.hpp"

namespace sbx::runtime {

/// What holds of image and request together, with docker's defaults; `test` is empty if there is none.
HealthCheck merged_health(const HealthCheck& image, const HealthCheck& request);

/// The words to be run inside: of CMD-SHELL by /bin/sh.
std::vector<std::string> health_command(const HealthCheck& check);

Json to_json(const HealthCheck& check);
Result<HealthCheck> health_check_from_json(const Json& object);

/// One check that was made.
struct HealthResult {
  std::string begin;  // RFC 3339
  std::string end;
  int exit_code = 0;   // -1: it took too long
  std::string output;  // its beginning
};

class Health {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit Health(const HealthCheck& check) : check_(check) {}

  /// `age`: time since the container's command began.
  void add(HealthResult result, Milliseconds age);
  /// The pause before the next check.
  [[nodiscard]] Milliseconds pause(Milliseconds age) const;
  /// "starting", "healthy" or "unhealthy".
  [[nodiscard]] const std::string& status() const { return status_; }
  /// As docker's State.Health.
  [[nodiscard]] Json json() const;

 private:
  [[nodiscard]] bool is_starting(Milliseconds age) const;

  HealthCheck check_;
  std::string status_ = "starting";
  std::int64_t streak_ = 0;
  std::deque<HealthResult> log_;  // the last five
};

}  // namespace sbx::runtime
