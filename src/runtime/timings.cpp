#include "runtime/timings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sys/raw.hpp"

namespace sbx::runtime {

std::int64_t now_ns() { return sys::raw::monotonic_ns(); }

void Timings::mark(std::string name) { mark(std::move(name), now_ns()); }

void Timings::mark(std::string name, std::int64_t at_ns) {
  marks_.emplace_back(std::move(name), at_ns);
}

std::string Timings::table() const {
  auto sorted = marks_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string out = "     ms   step  moment\n";
  std::int64_t before = start_ns_;
  for (const auto& [name, at] : sorted) {
    out += fmt::format("{:7.2f} {:6.2f}  {}\n", static_cast<double>(at - start_ns_) / 1e6,
                       static_cast<double>(at - before) / 1e6, name);
    before = at;
  }
  return out;
}

}  // namespace sbx::runtime
