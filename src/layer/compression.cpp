#include "layer/compression.hpp"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "layer/gzip_header.hpp"

namespace sbx::layer {
namespace {

constexpr std::size_t kInputBytes = 256U << 10U;

struct Magic {
  std::string_view bytes;
  std::string_view name;
};

constexpr std::array<Magic, 4> kRefused = {{
    {std::string_view("\xFD"
                      "7zXZ\0",
                      6),
     "xz"},
    {"BZh", "bzip2"},
    {"\x04\x22\x4D\x18", "lz4"},
    {"hsqs", "squashfs"},
}};

/// What all decompressors share: the input buffer and the limits.
class Decompressor : public ByteSource {
 public:
  Decompressor(ByteSource& source, std::vector<std::byte> head, const DecompressLimits& limits,
               std::string_view name)
      : source_(source),
        buffer_(std::move(head)),
        used_(buffer_.size()),
        consumed_(used_),
        limits_(limits),
        name_(name) {
    buffer_.resize(kInputBytes);
  }

  Result<std::size_t> read(std::span<std::byte> data) override {
    const std::size_t got = SBX_TRY(decompress(data));
    produced_ += got;
    if (produced_ > limits_.bytes) {
      return fail(Error::make(ErrorCode::kLimit, "decompress", name_,
                              fmt::format("it has more than {} bytes", limits_.bytes)));
    }
    if (produced_ > limits_.ratio_floor && produced_ / limits_.ratio > consumed_) {
      return fail(Error::make(
          ErrorCode::kLimit, "decompress", name_,
          fmt::format("it grows more than {} times: a decompression bomb", limits_.ratio)));
    }
    return got;
  }

 protected:
  virtual Result<std::size_t> decompress(std::span<std::byte> data) = 0;

  /// The input not taken yet, refilled if there are fewer than `least` bytes; fewer at the end, none behind it.
  Result<std::span<std::byte>> input(std::size_t least = 1) {
    if (used_ - at_ < least) {
      std::memmove(buffer_.data(), buffer_.data() + at_, used_ - at_);
      used_ -= at_;
      at_ = 0;
    }
    while (used_ < least) {
      const std::size_t got = SBX_TRY(source_.read(std::span(buffer_).subspan(used_)));
      if (got == 0) {
        break;
      }
      used_ += got;
      consumed_ += got;
    }
    return std::span(buffer_).subspan(at_, used_ - at_);
  }
  void take(std::size_t bytes) { at_ += bytes; }
  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] Unexpected<Error> corrupt(std::string reason) const {
    return fail(Error::make(ErrorCode::kCorrupt, "decompress", name_, std::move(reason)));
  }

 private:
  ByteSource& source_;
  std::vector<std::byte> buffer_;
  std::size_t used_;
  std::size_t at_ = 0;
  std::uint64_t consumed_;
  std::uint64_t produced_ = 0;
  DecompressLimits limits_;
  std::string name_;
};

class PlainSource final : public Decompressor {
 public:
  using Decompressor::Decompressor;

 protected:
  Result<std::size_t> decompress(std::span<std::byte> data) override {
    const std::span<std::byte> in = SBX_TRY(input());
    const std::size_t size = std::min(in.size(), data.size());
    std::memcpy(data.data(), in.data(), size);
    take(size);
    return size;
  }
};

/// ISA-L's inflate: three to four times as fast as zlib's (figures in README.md).
class GzipSource final : public Decompressor {
 public:
  GzipSource(ByteSource& source, std::vector<std::byte> head, const DecompressLimits& limits,
             std::string_view name)
      : Decompressor(source, std::move(head), limits, name),
        state_(std::make_unique<inflate_state>()) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP_NO_HDR_VER;  // trailer and checksum too; the header is ours
  }

 protected:
  Result<std::size_t> decompress(std::span<std::byte> data) override {
    state_->next_out = reinterpret_cast<std::uint8_t*>(data.data());
    state_->avail_out = static_cast<std::uint32_t>(data.size());
    while (state_->avail_out == data.size()) {
      const std::span<std::byte> in = SBX_TRY(input());
      if (!header_.done()) {
        if (in.empty() && !header_.begun()) {
          return std::size_t{0};
        }
        SBX_TRY(read_header(in));
        continue;
      }
      SBX_TRY(inflate(in));
      if (state_->block_state == ISAL_BLOCK_FINISH) {
        isal_inflate_reset(state_.get());  // for the next member
        header_ = GzipHeader();
      }
    }
    return data.size() - state_->avail_out;
  }

 private:
  Result<void> read_header(std::span<std::byte> in) {
    take(header_.feed(in));
    if (!header_.broken().empty()) {
      return corrupt(std::string(header_.broken()));
    }
    return in.empty() ? Result<void>(corrupt("the gzip stream stops before its end"))
                      : Result<void>();
  }

  Result<void> inflate(std::span<std::byte> in) {
    state_->next_in = reinterpret_cast<std::uint8_t*>(in.data());
    state_->avail_in = static_cast<std::uint32_t>(in.size());
    const std::uint32_t room = state_->avail_out;
    const int code = isal_inflate(state_.get());
    take(in.size() - state_->avail_in);
    if (code == ISAL_INCORRECT_CHECKSUM) {
      return corrupt("the gzip checksum does not match");
    }
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) {
      return corrupt(fmt::format("not a valid gzip stream (code {})", code));
    }
    if (in.empty() && state_->avail_out == room && state_->block_state != ISAL_BLOCK_FINISH) {
      return corrupt("the gzip stream stops before its end");
    }
    return {};
  }

  std::unique_ptr<inflate_state> state_;
  GzipHeader header_;  // of the member that is being read, or of the next one
};

class ZstdSource final : public Decompressor {
 public:
  ZstdSource(ByteSource& source, std::vector<std::byte> head, const DecompressLimits& limits,
             std::string_view name)
      : Decompressor(source, std::move(head), limits, name),
        large_window_(limits.large_window),
        context_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
    SBX_ASSERT(context_ != nullptr);
    constexpr int kLog = std::bit_width(kMaxZstdWindow) - 1;
    SBX_ASSERT(ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kLog)) ==
               0);
  }

 protected:
  Result<std::size_t> decompress(std::span<std::byte> data) override {
    ZSTD_outBuffer out{data.data(), data.size(), 0};
    while (out.pos == 0) {
      const std::span<std::byte> bytes = SBX_TRY(input(between_frames_ ? kFrameHeader : 1));
      if (between_frames_) {
        if (bytes.empty()) {
          return std::size_t{0};
        }
        SBX_TRY(allow_window(zstd_window(bytes)));
      }
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const std::size_t code = ZSTD_decompressStream(context_.get(), &out, &in);
      take(in.pos);
      if (ZSTD_isError(code) != 0) {
        return corrupt(fmt::format("not a valid zstd stream ({})", ZSTD_getErrorName(code)));
      }
      between_frames_ = code == 0;
      if (bytes.empty() && out.pos == 0) {
        return corrupt("the zstd stream stops before its end");
      }
    }
    return out.pos;
  }

 private:
  static constexpr std::size_t kFrameHeader = 18;  // at most

  Result<void> allow_window(std::uint64_t window) {
    if (window > kMaxZstdWindow) {
      return fail(Error::make(ErrorCode::kLimit, "decompress", name(),
                              fmt::format("it needs a zstd window of {} MiB, more than {}",
                                          window >> 20U, kMaxZstdWindow >> 20U))
                      .with_hint("compress the layer without zstd's --long and --ultra"));
    }
    if (window > kUsualZstdWindow && large_window_ != nullptr && !turn_) {
      turn_ = std::unique_lock(*large_window_);  // to the end of this layer
    }
    return {};
  }

  std::mutex* large_window_;
  std::unique_lock<std::mutex> turn_;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  bool between_frames_ = true;
};

}  // namespace

std::uint64_t zstd_window(std::span<const std::byte> frame) {
  const auto byte = [&](std::size_t at) {
    return at < frame.size() ? static_cast<std::uint64_t>(frame[at]) : 0;
  };
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= byte(at + i) << 8U * i;
    }
    return value;
  };
  if (number(0, 4) != 0xFD2FB528U) {
    return 0;
  }
  // RFC 8878, 3.1.1.1: descriptor; window, unless there is a single segment; dictionary; content size.
  constexpr std::array<std::size_t, 4> kDictionaryBytes{0, 1, 2, 4};
  const std::uint64_t descriptor = byte(4);
  const bool single = (descriptor & 0x20U) != 0;
  if (!single) {
    const std::uint64_t base = std::uint64_t{1} << (10U + (byte(5) >> 3U));
    return base + base / 8 * (byte(5) & 7U);
  }
  const std::size_t at = 5 + kDictionaryBytes.at(descriptor & 3U);
  switch (descriptor >> 6U) {
    case 0:
      return byte(at);
    case 1:
      return number(at, 2) + 256;
    case 2:
      return number(at, 4);
    default:
      return number(at, 8);
  }
}

Result<Compression> sniff_compression(std::span<const std::byte> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (text.starts_with("\x1F\x8B\x08")) {
    return Compression::kGzip;
  }
  // A skippable frame may come first: zstd:chunked and seekable files have them at the end, others before.
  const bool skippable = text.size() >= 4 && text.substr(1, 3) == "\x2A\x4D\x18" &&
                         (static_cast<unsigned char>(text[0]) & 0xF0U) == 0x50U;
  if (text.starts_with("\x28\xB5\x2F\xFD") || skippable) {
    return Compression::kZstd;
  }
  for (const Magic& magic : kRefused) {
    if (text.starts_with(magic.bytes)) {
      return fail(
          Error::make(ErrorCode::kUnsupported, "decompress layer", "",
                      fmt::format("layers compressed by {} are not supported", magic.name)));
    }
  }
  return Compression::kNone;
}

Result<std::unique_ptr<ByteSource>> open_decompressor(ByteSource& source,
                                                      const DecompressLimits& limits,
                                                      std::string_view name) {
  std::vector<std::byte> head(8);
  std::size_t used = 0;
  while (used < head.size()) {
    const std::size_t got = SBX_TRY(source.read(std::span(head).subspan(used)));
    if (got == 0) {
      break;
    }
    used += got;
  }
  head.resize(used);
  switch (SBX_TRY(sniff_compression(head))) {
    case Compression::kGzip:
      return std::unique_ptr<ByteSource>(
          std::make_unique<GzipSource>(source, std::move(head), limits, name));
    case Compression::kZstd:
      return std::unique_ptr<ByteSource>(
          std::make_unique<ZstdSource>(source, std::move(head), limits, name));
    case Compression::kNone:
      break;
  }
  return std::unique_ptr<ByteSource>(
      std::make_unique<PlainSource>(source, std::move(head), limits, name));
}

}  // namespace sbx::layer
