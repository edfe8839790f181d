#pragma once

#include <string_view>

namespace sbx {

/// How much is told on standard error: "trace", "debug", "info", "warn" (default), "error" or "off". False for another word.
bool set_log_level(std::string_view level);

}  // namespace sbx
