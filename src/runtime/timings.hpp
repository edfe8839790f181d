#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sbx::runtime {

/// Where start-up time went: named moments, in nanoseconds of CLOCK_MONOTONIC.
class Timings {
 public:
  explicit Timings(std::int64_t start_ns) : start_ns_(start_ns) {}
  void mark(std::string name);
  void mark(std::string name, std::int64_t at_ns);
  /// A table: milliseconds since the start, and since the moment before.
  [[nodiscard]] std::string table() const;

 private:
  std::int64_t start_ns_;
  std::vector<std::pair<std::string, std::int64_t>> marks_;
};

/// CLOCK_MONOTONIC in nanoseconds.
std::int64_t now_ns();

}  // namespace sbx::runtime
