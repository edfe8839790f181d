#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sbx {

/// The seconds since 1970-01-01T00:00:00Z of "2024-05-06T07:08:09[.123][Z|+02:00]"; nullopt for anything else. Parts of a
/// second are passed over: ages are shown and compared by seconds.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

/// "2024-05-06T07:08:09Z".
std::string format_rfc3339(std::int64_t seconds);

/// This moment, with nanoseconds, which are always nine digits: as text, times are in order.
std::string now_rfc3339();

}  // namespace sbx
