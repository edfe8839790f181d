#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sbx::layer {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), continued from `crc` (0 to begin). Against accidents
/// only; what protects an image from tampering are the digests of its layers.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> data) noexcept;

}  // namespace sbx::layer
