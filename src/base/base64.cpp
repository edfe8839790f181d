#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace sbx {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group =
        byte_at(bytes, i) << 16U | byte_at(bytes, i + 1) << 8U | byte_at(bytes, i + 2);
    out.push_back(kDigits[group >> 18U]);
    out.push_back(kDigits[group >> 12U & 63U]);
    out.push_back(i + 1 < bytes.size() ? kDigits[group >> 6U & 63U] : '=');
    out.push_back(i + 2 < bytes.size() ? kDigits[group & 63U] : '=');
  }
  return out;
}

std::optional<std::string> decode_base64(std::string_view text, std::size_t max) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t padding = text.ends_with("==") ? 2 : 0;
  padding = padding == 0 && text.ends_with('=') ? 1 : padding;
  const std::size_t size = text.size() / 4 * 3 - padding;
  if (size > max) {
    return std::nullopt;
  }
  std::string out;
  out.reserve(size);
  std::uint32_t bits = 0;
  std::uint32_t count = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::size_t value = kDigits.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 255U));
    }
  }
  return (bits & ((1U << count) - 1U)) == 0 ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace sbx
