#include "layer/gzip_header.hpp"

#include <isa-l/crc.h>

#include <array>

namespace sbx::layer {
namespace {

constexpr std::size_t kFixedBytes = 10;
constexpr std::size_t kFlagsAt = 3;
constexpr std::array<std::uint8_t, 3> kMagic{0x1F, 0x8B,
                                             8};  // and deflate, the only method there is
constexpr std::uint8_t kHasChecksum = 2;
constexpr std::uint8_t kHasExtra = 4;
constexpr std::uint8_t kHasName = 8;
constexpr std::uint8_t kHasComment = 16;
constexpr std::uint8_t kReserved = 0xE0;
// Name and comment have no limit of their own; an extra field has 64 KiB.
constexpr std::size_t kMaxBytes = std::size_t{256} << 10U;

}  // namespace

std::size_t GzipHeader::feed(std::span<const std::byte> data) {
  std::size_t count = 0;
  while (count < data.size() && !done() && broken_.empty()) {
    take(static_cast<std::uint8_t>(data[count++]));
  }
  return count;
}

void GzipHeader::take(std::uint8_t byte) {
  if (++size_ > kMaxBytes) {
    broken_ = "its gzip header is too long";
    return;
  }
  if (part_ != Part::kChecksum) {
    crc_ = ::crc32_gzip_refl(crc_, &byte, 1);
  }
  switch (part_) {
    case Part::kFixed:
      take_fixed(byte);
      break;
    case Part::kExtraSize:
      extra_ |= std::uint32_t{byte} << 8U * at_;
      if (++at_ == 2) {
        part_ = Part::kExtra;
        at_ = 0;
      }
      if (part_ == Part::kExtra && extra_ == 0) {
        next_part();
      }
      break;
    case Part::kExtra:
      if (++at_ == extra_) {
        next_part();
      }
      break;
    case Part::kName:
    case Part::kComment:
      if (byte == 0) {
        next_part();
      }
      break;
    case Part::kChecksum:
      take_checksum(byte);
      break;
    case Part::kDone:
      break;
  }
}

void GzipHeader::take_fixed(std::uint8_t byte) {
  if (at_ < kMagic.size() && byte != kMagic.at(at_)) {
    broken_ = "no gzip member where one should be";
    return;
  }
  if (at_ == kFlagsAt) {
    flags_ = byte;
    if ((flags_ & kReserved) != 0) {
      broken_ = "its gzip header has flags that nobody knows";
      return;
    }
  }
  if (++at_ == kFixedBytes) {
    next_part();
  }
}

void GzipHeader::take_checksum(std::uint8_t byte) {
  told_ |= std::uint32_t{byte} << 8U * at_;
  if (++at_ < 2) {
    return;
  }
  if (told_ != (crc_ & 0xFFFFU)) {
    broken_ = "the checksum of its gzip header does not match";
    return;
  }
  part_ = Part::kDone;
}

void GzipHeader::next_part() {
  struct Optional {
    Part part;
    std::uint8_t flag;
  };
  constexpr std::array<Optional, 4> kOptional{{{Part::kExtraSize, kHasExtra},
                                               {Part::kName, kHasName},
                                               {Part::kComment, kHasComment},
                                               {Part::kChecksum, kHasChecksum}}};
  at_ = 0;
  for (const Optional& each : kOptional) {
    if (each.part > part_ && (flags_ & each.flag) != 0) {
      part_ = each.part;
      return;
    }
  }
  part_ = Part::kDone;
}

}  // namespace sbx::layer
