#include "base/rfc3339.hpp"

#include <fmt/format.h>
#include <time.h>

#include <chrono>

namespace sbx {
namespace {

/// The number of exactly `digits` digits at the front of `text`, which it takes away.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

/// "Z", or how far the clock is ahead of UTC, in seconds.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) {
    return 0;
  }
  const bool ahead = text.starts_with('+');
  if (!take(text, '+') && !take(text, '-')) {
    return std::nullopt;
  }
  const std::optional<int> hours = take_number(text, 2);
  if (!hours || !take(text, ':')) {
    return std::nullopt;
  }
  const std::optional<int> minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  return (ahead ? 1 : -1) * (*hours * 3600 + *minutes * 60);
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const std::optional<int> year = take_number(text, 4);
  if (!year || !take(text, '-')) {
    return std::nullopt;
  }
  const std::optional<int> month = take_number(text, 2);
  if (!month || !take(text, '-')) {
    return std::nullopt;
  }
  const std::optional<int> day = take_number(text, 2);
  if (!day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

/// Seconds since midnight.
std::optional<int> take_time(std::string_view& text) {
  const std::optional<int> hours = take_number(text, 2);
  if (!hours || !take(text, ':')) {
    return std::nullopt;
  }
  const std::optional<int> minutes = take_number(text, 2);
  if (!minutes || !take(text, ':')) {
    return std::nullopt;
  }
  const std::optional<int> seconds = take_number(text, 2);
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 60) {
    return std::nullopt;
  }
  if (take(text, '.')) {
    if (!take_number(text, 1)) {
      return std::nullopt;
    }
    while (take_number(text, 1)) {
    }
  }
  return *hours * 3600 + *minutes * 60 + *seconds;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const std::optional<std::chrono::sys_days> date = take_date(text);
  if (!date || (!take(text, 'T') && !take(text, 't') && !take(text, ' '))) {
    return std::nullopt;
  }
  const std::optional<int> time = take_time(text);
  const std::optional<int> offset = time ? take_offset(text) : std::nullopt;
  if (!offset || !text.empty()) {
    return std::nullopt;
  }
  return std::int64_t{date->time_since_epoch().count()} * 86400 + *time - *offset;
}

std::string format_rfc3339(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string now_rfc3339() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  std::string out = format_rfc3339(now.tv_sec);
  out.pop_back();
  return fmt::format("{}.{:09}Z", out, now.tv_nsec);
}

}  // namespace sbx
