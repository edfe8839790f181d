#pragma once

// The only door to spdlog. Levels: warn (we go on and say so), info (what the user asked to see),
// debug, trace. Failures are not logged: they are returned, and the program prints each once.

#include <fmt/format.h>

#include <string_view>

namespace sbx::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kOff };

/// Process-wide, the one global of the program. Default kWarn. Output goes to stderr as "sbx: ...".
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view text);

template <class... Args>
void trace(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kTrace)) {
    write(Level::kTrace, fmt::format(format, std::forward<Args>(args)...));
  }
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) {
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sbx::log
