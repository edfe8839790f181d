#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sbx {

/// Streaming SHA-256 (FIPS 180-4) over libcrypto, which uses the CPU's SHA instructions.
class Sha256 {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> data);
  /// The digest of everything so far; the object starts anew afterwards.
  [[nodiscard]] Bytes finish();
  /// As finish(), 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace sbx
