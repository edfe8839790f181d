#include "layer/packed_stream.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace sbx::layer {

void PackedStream::put(std::uint8_t byte) {
  if (size_ % kChunk == 0) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunk));
  }
  chunks_.back()[size_ % kChunk] = static_cast<char>(byte);
  ++size_;
}

void PackedStream::put(std::string_view bytes) {
  while (!bytes.empty()) {
    if (size_ % kChunk == 0) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunk));
    }
    const std::string_view part = bytes.substr(0, kChunk - size_ % kChunk);
    std::copy(part.begin(), part.end(), chunks_.back().get() + size_ % kChunk);
    size_ += part.size();
    bytes.remove_prefix(part.size());
  }
}

void PackedStream::number(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) {
    put(static_cast<std::uint8_t>(value | 0x80U));
  }
  put(static_cast<std::uint8_t>(value));
}

/// "Zigzag": 0, -1, 1, -2 as 0, 1, 2, 3. Modulo 2^64, so that any two numbers have a distance.
void PackedStream::difference(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t distance = to - from;
  const bool negative = distance >> 63U != 0;
  number(negative ? ~(distance << 1U) : distance << 1U);
}

void PackedStream::text(std::string_view text) {
  number(text.size());
  put(text);
}

void PackedStream::text_after(std::string_view before, std::string_view text) {
  const auto differs = std::mismatch(before.begin(), before.end(), text.begin(), text.end()).first;
  const auto shared = static_cast<std::size_t>(differs - before.begin());
  number(shared);
  this->text(text.substr(shared));
}

std::uint64_t PackedStream::Reader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    SBX_ASSERT(!at_end() && shift < 64);
    const auto byte =
        static_cast<std::uint8_t>(stream_->chunks_[position_ / kChunk][position_ % kChunk]);
    ++position_;
    value |= (byte & std::uint64_t{0x7F}) << shift;
    if (byte < 0x80) {
      return value;
    }
  }
}

std::uint64_t PackedStream::Reader::difference(std::uint64_t from) {
  const std::uint64_t coded = number();
  return from + ((coded & 1U) != 0 ? ~(coded >> 1U) : coded >> 1U);
}

void PackedStream::Reader::text(std::string& out) {
  out.clear();
  append(out, number());
}

void PackedStream::Reader::text_after(std::string& text) {
  const std::uint64_t shared = number();
  SBX_ASSERT(shared <= text.size());
  text.resize(shared);
  append(text, number());
}

void PackedStream::Reader::append(std::string& out, std::uint64_t size) {
  SBX_ASSERT(size <= stream_->size_ - position_);
  while (size != 0) {
    const std::uint64_t here = std::min<std::uint64_t>(size, kChunk - position_ % kChunk);
    out.append(stream_->chunks_[position_ / kChunk].get() + position_ % kChunk, here);
    position_ += here;
    size -= here;
  }
}

}  // namespace sbx::layer
