#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sbx::layer {

/// The header of one gzip member (RFC 1952), byte by byte as it comes. Ours, because ISA-L's (2.30) takes each header that has a
/// checksum of its own as damaged, and some that come in small pieces. What the optional fields say is of no interest.
class GzipHeader {
 public:
  /// Takes what belongs to the header from the front of `data`, and says how much that was.
  std::size_t feed(std::span<const std::byte> data);

  [[nodiscard]] bool begun() const { return size_ != 0; }
  [[nodiscard]] bool done() const { return part_ == Part::kDone; }
  /// Why this is no header; empty if it may be or is one. Nothing may be fed afterwards.
  [[nodiscard]] std::string_view broken() const { return broken_; }

 private:
  enum class Part { kFixed, kExtraSize, kExtra, kName, kComment, kChecksum, kDone };

  void take(std::uint8_t byte);
  void take_fixed(std::uint8_t byte);
  void take_checksum(std::uint8_t byte);
  /// Goes on with the first part after `part_` that the flags ask for.
  void next_part();

  Part part_ = Part::kFixed;
  std::uint8_t flags_ = 0;
  std::size_t size_ = 0;     // bytes taken
  std::uint32_t at_ = 0;     // bytes of this part taken
  std::uint32_t extra_ = 0;  // size of the extra field
  std::uint32_t crc_ = 0;    // of everything before the checksum
  std::uint32_t told_ = 0;   // the checksum in the header
  std::string_view broken_;
};

}  // namespace sbx::layer
