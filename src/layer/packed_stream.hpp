#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sbx::layer {

/// Numbers and texts one after the other in few bytes, to be read again in the same order. Of this process only: nothing here
/// is a file format.
class PackedStream {
 public:
  class Reader;

  /// 7 bits a byte, the lowest first (LEB128): small numbers take one byte.
  void number(std::uint64_t value);
  /// `to` as its distance from `from`, which the reader must know: one byte if they are less than 64 apart.
  void difference(std::uint64_t from, std::uint64_t to);
  void text(std::string_view text);
  /// `text` without what it has in common with the beginning of `before`, which the reader must know.
  void text_after(std::string_view before, std::string_view text);

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  // Small, because an image may have hundreds of small layers.
  static constexpr std::size_t kChunk = 16U << 10U;

  void put(std::uint8_t byte);
  void put(std::string_view bytes);

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::uint64_t size_ = 0;
};

/// Reads what was put in, by the calls of the same names in the same order. The stream must outlive it and not grow meanwhile.
class PackedStream::Reader {
 public:
  explicit Reader(const PackedStream& stream) : stream_(&stream) {}

  [[nodiscard]] bool at_end() const { return position_ == stream_->size_; }
  std::uint64_t number();
  /// `to` of difference().
  std::uint64_t difference(std::uint64_t from);
  void text(std::string& out);
  /// `text` is what was before, and then what is now.
  void text_after(std::string& text);

 private:
  void append(std::string& out, std::uint64_t size);

  const PackedStream* stream_;
  std::uint64_t position_ = 0;
};

}  // namespace sbx::layer
