#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::oci {

/// The 32 bytes of a SHA-256.
using DigestBytes = std::array<std::uint8_t, 32>;

/// 64 lower-case hexadecimal digits.
std::string digest_hex(const DigestBytes& bytes);
/// The reverse; nothing else is taken: no upper case, no other length.
std::optional<DigestBytes> parse_digest_hex(std::string_view hex);
/// Strict "sha256:" and 64 lower-case digits. kUnsupported for another registered algorithm, kCorrupt
/// for what is no digest at all. CVE-2024-3727 is what happens when digests are not checked.
Result<DigestBytes> parse_digest_text(std::string_view text, std::string_view what);

/// A SHA-256 digest that says what it is a digest of. Types with different tags do not convert into each
/// other; see the OCI image specification, descriptor.md "Digests".
template <class Tag>
class TypedDigest {
 public:
  TypedDigest() = default;
  explicit TypedDigest(const DigestBytes& bytes) : bytes_(bytes) {}

  /// "sha256:<64 hex>".
  static Result<TypedDigest> parse(std::string_view text) {
    return TypedDigest(SBX_TRY(parse_digest_text(text, Tag::kWhat)));
  }
  static std::optional<TypedDigest> from_hex(std::string_view hex) {
    const std::optional<DigestBytes> bytes = parse_digest_hex(hex);
    return bytes ? std::optional(TypedDigest(*bytes)) : std::nullopt;
  }

  [[nodiscard]] const DigestBytes& bytes() const { return bytes_; }
  [[nodiscard]] std::string hex() const { return digest_hex(bytes_); }
  [[nodiscard]] std::string str() const { return "sha256:" + hex(); }
  friend auto operator<=>(const TypedDigest&, const TypedDigest&) = default;

 private:
  DigestBytes bytes_{};
};

struct BlobDigestTag {
  static constexpr std::string_view kWhat = "digest";
};
struct DiffIdTag {
  static constexpr std::string_view kWhat = "diff id";
};
struct ChainIdTag {
  static constexpr std::string_view kWhat = "chain id";
};

/// Of a blob as it is transferred: a manifest, a config, a compressed layer.
using Digest = TypedDigest<BlobDigestTag>;
/// Of a layer's uncompressed tar (image-spec config.md "Layer DiffID").
using DiffId = TypedDigest<DiffIdTag>;
/// Of a stack of layers (image-spec config.md "Layer ChainID").
using ChainId = TypedDigest<ChainIdTag>;

}  // namespace sbx::oci

template <class Tag>
struct std::hash<sbx::oci::TypedDigest<Tag>> {
  std::size_t operator()(const sbx::oci::TypedDigest<Tag>& digest) const noexcept {
    std::size_t value = 0;  // a digest is uniform: any part of it is a good hash
    std::memcpy(&value, digest.bytes().data(), sizeof value);
    return value;
  }
};
