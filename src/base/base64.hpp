#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sbx {

/// RFC 4648 section 4, with padding, without line breaks.
std::string encode_base64(std::string_view bytes);

/// The reverse, strict: padding is needed, white space and stray bits in the last digit are not taken. nullopt if it is none,
/// or if it would be more than `max` bytes.
std::optional<std::string> decode_base64(std::string_view text, std::size_t max);

}  // namespace sbx
