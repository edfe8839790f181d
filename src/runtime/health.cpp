#include "runtime/health.hpp"

#include <algorithm>

namespace sbx::runtime {
namespace {

constexpr std::int64_t kInterval = 30'000;
constexpr std::int64_t kTimeout = 30'000;
constexpr std::int64_t kStartInterval = 5'000;
constexpr std::int64_t kRetries = 3;
constexpr std::size_t kMostResults = 5;

std::int64_t first_of(std::int64_t request, std::int64_t image, std::int64_t usual) {
  return request != 0 ? request : image != 0 ? image : usual;
}

bool is_none(const std::vector<std::string>& test) {
  return test.size() < 2 || test.front() == "NONE";
}

}  // namespace

HealthCheck merged_health(const HealthCheck& image, const HealthCheck& request) {
  HealthCheck out;
  out.test = request.test.empty() ? image.test : request.test;
  if (is_none(out.test)) {
    return {};
  }
  out.interval = first_of(request.interval, image.interval, kInterval);
  out.timeout = first_of(request.timeout, image.timeout, kTimeout);
  out.start_period = first_of(request.start_period, image.start_period, 0);
  out.start_interval = first_of(request.start_interval, image.start_interval, kStartInterval);
  out.retries = first_of(request.retries, image.retries, kRetries);
  return out;
}

std::vector<std::string> health_command(const HealthCheck& check) {
  if (check.test.front() == "CMD-SHELL") {
    return {"/bin/sh", "-c", check.test[1]};
  }
  return {check.test.begin() + 1, check.test.end()};
}

Json to_json(const HealthCheck& check) {
  return {{"test", check.test},
          {"interval", check.interval},
          {"timeout", check.timeout},
          {"startPeriod", check.start_period},
          {"startInterval", check.start_interval},
          {"retries", check.retries}};
}

Result<HealthCheck> health_check_from_json(const Json& object) {
  const auto number = [&](std::string_view key) -> Result<std::int64_t> {
    return SBX_TRY(find_integer(object, key)).value_or(0);
  };
  HealthCheck out;
  out.test = SBX_TRY(find_strings(object, "test"));
  out.interval = SBX_TRY(number("interval"));
  out.timeout = SBX_TRY(number("timeout"));
  out.start_period = SBX_TRY(number("startPeriod"));
  out.start_interval = SBX_TRY(number("startInterval"));
  out.retries = SBX_TRY(number("retries"));
  return out;
}

bool Health::is_starting(Milliseconds age) const {
  return status_ == "starting" && age < Milliseconds(check_.start_period);
}

void Health::add(HealthResult result, Milliseconds age) {
  if (result.exit_code == 0) {
    streak_ = 0;
    status_ = "healthy";
  } else if (!is_starting(age)) {
    ++streak_;
    if (streak_ >= check_.retries) {
      status_ = "unhealthy";
    }
  }
  log_.push_back(std::move(result));
  if (log_.size() > kMostResults) {
    log_.pop_front();
  }
}

Health::Milliseconds Health::pause(Milliseconds age) const {
  return Milliseconds(is_starting(age) ? check_.start_interval : check_.interval);
}

Json Health::json() const {
  Json log = Json::array();
  for (const HealthResult& one : log_) {
    log.push_back({{"Start", one.begin},
                   {"End", one.end},
                   {"ExitCode", one.exit_code},
                   {"Output", one.output}});
  }
  return {{"Status", status_}, {"FailingStreak", streak_}, {"Log", std::move(log)}};
}

}  // namespace sbx::runtime
