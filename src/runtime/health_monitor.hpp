#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/health.hpp"
#include "sys/child.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// Makes the health checks of one run of a container, from the poll(2) loop of its supervisor: each in a process of its own, as
/// `exec` would, that ends with ours.
class HealthMonitor {
 public:
  struct Input {
    std::string data_root;
    std::string id;
    HealthCheck check;  // merged_health(), not empty
    int container;      // borrowed: its directory, for health.json
  };

  explicit HealthMonitor(Input input) : in_(std::move(input)), health_(in_.check) {}

  /// The command runs.
  void begin();
  /// Milliseconds until there is something to do; -1: never.
  [[nodiscard]] int timeout() const;
  void add_poll(std::vector<pollfd>& polls) const;
  /// After poll(2), whatever it said.
  void handle(const std::vector<pollfd>& polls);

 private:
  using Clock = std::chrono::steady_clock;

  Result<void> start_check();
  void finish_check(int exit_code);
  void read_output();
  void write_file() const;
  [[nodiscard]] std::chrono::milliseconds age() const;

  Input in_;
  Health health_;
  std::optional<Clock::time_point> begin_;
  Clock::time_point due_;  // of the next check, or of the end of the one that is made
  sys::Child check_;
  sys::Fd output_;
  HealthResult result_;
};

inline constexpr const char* kHealthFile = "health.json";

}  // namespace sbx::runtime
