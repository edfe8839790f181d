#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace sbx::log {
namespace {

// NOLINTNEXTLINE: the log level is the one global of the program (style.md, "No globals")
Level current_level = Level::kWarn;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

/// Made at the first message: most runs say nothing and should not pay for a logger.
spdlog::logger& sink() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made =
        std::make_shared<spdlog::logger>("sbx", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%n: %l: %v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

void set_level(Level level) { current_level = level; }

bool enabled(Level level) { return level >= current_level; }

void write(Level level, std::string_view text) {
  if (enabled(level)) {
    sink().log(to_spdlog(level), text);
  }
}

}  // namespace sbx::log
