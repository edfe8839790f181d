#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sbx::cli {

/// Milliseconds of a duration as Go writes them: "1h30m", "500ms", "1.5s". nullopt for what is none, is negative, or above 100 years.
std::optional<std::int64_t> read_duration(std::string_view text);

}  // namespace sbx::cli
