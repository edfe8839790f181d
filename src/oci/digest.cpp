#include "oci/digest.hpp"

#include <fmt/format.h>

namespace sbx::oci {
namespace {

constexpr std::string_view kSha256 = "sha256:";

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string digest_hex(const DigestBytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::optional<DigestBytes> parse_digest_hex(std::string_view hex) {
  DigestBytes bytes{};
  if (hex.size() != bytes.size() * 2) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return bytes;
}

Result<DigestBytes> parse_digest_text(std::string_view text, std::string_view what) {
  const std::string op = fmt::format("read {}", what);
  if (text.starts_with("sha512:") || text.starts_with("blake3:")) {
    return fail(
        Error::make(ErrorCode::kUnsupported, op, text, "only sha256 digests are supported"));
  }
  if (text.starts_with(kSha256)) {
    if (const std::optional<DigestBytes> bytes = parse_digest_hex(text.substr(kSha256.size()))) {
      return *bytes;
    }
  }
  return fail(Error::make(ErrorCode::kCorrupt, op, text,
                          "not 'sha256:' and 64 lower-case hexadecimal digits"));
}

}  // namespace sbx::oci
