#include "cli/duration.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace sbx::cli {
namespace {

// Longer ones first, where one begins like another.
constexpr std::array<std::pair<std::string_view, double>, 6> kUnits{
    {{"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}, {"h", 3.6e6}, {"m", 6e4}, {"s", 1e3}}};
constexpr double kMost = 100 * 365.25 * 24 * 3.6e6;

/// Takes a number and its unit from the front.
std::optional<double> take_part(std::string_view& text) {
  double number = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || number < 0) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  for (const auto& [unit, ms] : kUnits) {
    if (text.starts_with(unit)) {
      text.remove_prefix(unit.size());
      return number * ms;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> read_duration(std::string_view text) {
  if (text == "0") {
    return 0;
  }
  double sum = 0;
  do {
    const std::optional<double> part = take_part(text);
    if (!part || !((sum += *part) <= kMost)) {
      return std::nullopt;
    }
  } while (!text.empty());
  return static_cast<std::int64_t>(sum);
}

}  // namespace sbx::cli
