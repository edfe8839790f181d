#include "registry/ranges.hpp"

#include <charconv>

namespace sbx::registry {
namespace {

/// "A-B" with A <= B.
std::optional<ContentRange> parse_pair(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> first = parse_count(text.substr(0, dash));
  const std::optional<std::uint64_t> last = parse_count(text.substr(dash + 1));
  if (!first || !last || *first > *last) {
    return std::nullopt;
  }
  return ContentRange{.first = *first, .last = *last, .total = std::nullopt};
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc() || stopped != end) {
    return std::nullopt;
  }
  return value;
}

std::optional<ContentRange> parse_content_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  if (!header.starts_with(kUnit)) {
    return std::nullopt;
  }
  header.remove_prefix(kUnit.size());
  const std::size_t slash = header.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  std::optional<ContentRange> range = parse_pair(header.substr(0, slash));
  const std::string_view total = header.substr(slash + 1);
  if (!range || total == "*") {
    return range;
  }
  range->total = parse_count(total);
  return range->total && *range->total > range->last ? range : std::nullopt;
}

std::optional<std::uint64_t> parse_upload_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes=";  // some registries write it
  if (header.starts_with(kUnit)) {
    header.remove_prefix(kUnit.size());
  }
  const std::optional<ContentRange> range = parse_pair(header);
  if (!range || range->first != 0 || range->last == UINT64_MAX) {
    return std::nullopt;
  }
  return range->last == 0 ? 0 : range->last + 1;
}

}  // namespace sbx::registry
