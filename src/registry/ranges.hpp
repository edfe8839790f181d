#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sbx::registry {

/// What a 206 response says it carries (RFC 9110 14.4).
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;              // inclusive, >= first
  std::optional<std::uint64_t> total;  // absent: "*"; else > last
};

/// "bytes 0-99/100" or "bytes 0-99/*"; nullopt for everything else.
std::optional<ContentRange> parse_content_range(std::string_view header);

/// How many bytes an unfinished upload has, from its Range header "0-99" (distribution-spec, "Pushing a blob in
/// chunks"): 100. docker-registry says "0-0" for none as for one byte, so 0-0 counts as none: a byte is sent again.
/// nullopt for what does not begin at 0.
std::optional<std::uint64_t> parse_upload_range(std::string_view header);

/// Decimal digits only, no sign, no blanks, no overflow.
std::optional<std::uint64_t> parse_count(std::string_view digits);

}  // namespace sbx::registry
