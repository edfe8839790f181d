#include "layer/compression.hpp"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

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

  /// The input not taken yet, refilled if there is none; empty at the end.
  Result<std::span<std::byte>> input() {
    if (at_ == used_) {
      used_ = SBX_TRY(source_.read(buffer_));
      consumed_ += used_;
      at_ = 0;
    }
    return std::span(buffer_).subspan(at_, used_ - at_);
  }
  void take(std::size_t bytes) { at_ += bytes; }

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
    state_->crc_flag = ISAL_GZIP;  // header, trailer and checksum too
  }

 protected:
  Result<std::size_t> decompress(std::span<std::byte> data) override {
    state_->next_out = reinterpret_cast<std::uint8_t*>(data.data());
    state_->avail_out = static_cast<std::uint32_t>(data.size());
    while (state_->avail_out == data.size()) {
      const std::span<std::byte> in = SBX_TRY(input());
      if (state_->block_state == ISAL_BLOCK_FINISH) {
        if (in.empty()) {
          return std::size_t{0};
        }
        isal_inflate_reset(state_.get());  // the next member
      }
      SBX_TRY(inflate(in));
    }
    return data.size() - state_->avail_out;
  }

 private:
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
};

class ZstdSource final : public Decompressor {
 public:
  ZstdSource(ByteSource& source, std::vector<std::byte> head, const DecompressLimits& limits,
             std::string_view name)
      : Decompressor(source, std::move(head), limits, name),
        context_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
    SBX_ASSERT(context_ != nullptr);
    SBX_ASSERT(ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax,
                                                   kMaxZstdWindowLog)) == 0);
  }

 protected:
  Result<std::size_t> decompress(std::span<std::byte> data) override {
    ZSTD_outBuffer out{data.data(), data.size(), 0};
    while (out.pos == 0) {
      const std::span<std::byte> bytes = SBX_TRY(input());
      if (bytes.empty() && between_frames_) {
        return std::size_t{0};
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
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  bool between_frames_ = true;
};

}  // namespace

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
