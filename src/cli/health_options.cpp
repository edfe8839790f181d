#include "cli/health_options.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "cli/duration.hpp"

namespace sbx::cli {

void add_health_options(CommandLine& line, HealthOptions& options) {
  line.value("--health-cmd", options.command, "COMMAND",
             "What a shell inside runs to find out whether the container works");
  line.value("--health-interval", options.interval, "TIME", "Between two of them (default: 30s)");
  line.value("--health-timeout", options.timeout, "TIME", "How long one may take (default: 30s)");
  line.value("--health-start-period", options.start_period, "TIME",
             "In which failures do not count until the first success (default: 0s)");
  line.value("--health-start-interval", options.start_interval, "TIME",
             "Between two of them during that (default: 5s)");
  line.value("--health-retries", options.retries, "NUMBER",
             "Failures one after the other that make it unhealthy (default: 3)");
  line.flag("--no-healthcheck", options.none, "Nor what the image says");
}

std::string read_health(const HealthOptions& options, HealthCheck& check) {
  const bool any = options.command || options.interval || options.timeout || options.start_period ||
                   options.start_interval || options.retries;
  if (options.none) {
    check.test = {"NONE"};
    return any ? "--no-healthcheck and --health-... do not go together" : "";
  }
  if (options.command) {
    check.test = {"CMD-SHELL", *options.command};
  }
  const std::array<
      std::pair<const char*, std::pair<const std::optional<std::string>*, std::int64_t*>>, 4>
      times{{{"interval", {&options.interval, &check.interval}},
             {"timeout", {&options.timeout, &check.timeout}},
             {"start-period", {&options.start_period, &check.start_period}},
             {"start-interval", {&options.start_interval, &check.start_interval}}}};
  for (const auto& [name, where] : times) {
    const auto& [text, target] = where;
    if (!*text) {
      continue;
    }
    const std::optional<std::int64_t> time = read_duration(**text);
    if (!time) {
      return std::string("--health-") + name + " '" + **text +
             "' is no duration\n  hint: 30s, 1m30s, 500ms";
    }
    *target = *time;
  }
  if (options.retries) {
    const char* const end = options.retries->data() + options.retries->size();
    const auto [stop, error] = std::from_chars(options.retries->data(), end, check.retries);
    if (error != std::errc() || stop != end || check.retries < 0) {
      return "--health-retries '" + *options.retries + "' is no number";
    }
  }
  return "";
}

}  // namespace sbx::cli
