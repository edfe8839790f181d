#include "layer/compressor.hpp"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

namespace sbx::layer {
namespace {

constexpr std::size_t kOutputBytes = 256U << 10U;
constexpr int kZstdLevel = 3;            // zstd's and docker's default
constexpr unsigned kMaxWorkers = 4;      // zstd's own threads; more gain little on one layer
constexpr std::uint32_t kGzipLevel = 3;  // ISA-L's best

class PlainCompressor final : public Compressor {
 public:
  explicit PlainCompressor(ByteSink sink) : sink_(std::move(sink)) {}
  Result<void> feed(std::span<const std::byte> data) override { return sink_(data); }
  Result<void> finish() override { return {}; }

 private:
  ByteSink sink_;
};

class GzipCompressor final : public Compressor {
 public:
  explicit GzipCompressor(ByteSink sink)
      : sink_(std::move(sink)),
        stream_(std::make_unique<isal_zstream>()),
        level_buffer_(ISAL_DEF_LVL3_DEFAULT),
        output_(kOutputBytes) {
    isal_deflate_init(stream_.get());
    stream_->level = kGzipLevel;
    stream_->level_buf = level_buffer_.data();
    stream_->level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_->gzip_flag = IGZIP_GZIP;  // with a header without name or time, and the trailer
  }

  Result<void> feed(std::span<const std::byte> data) override {
    while (!data.empty()) {
      // ISA-L counts in 32 bits.
      const auto part = data.first(std::min<std::size_t>(data.size(), 1U << 30U));
      SBX_TRY(deflate(part, false));
      data = data.subspan(part.size());
    }
    return {};
  }
  Result<void> finish() override { return deflate({}, true); }

 private:
  Result<void> deflate(std::span<const std::byte> data, bool last) {
    // It does not write to its input, but says so by no const.
    stream_->next_in = reinterpret_cast<std::uint8_t*>(
        const_cast<std::byte*>(data.data()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    stream_->avail_in = static_cast<std::uint32_t>(data.size());
    stream_->end_of_stream = last ? 1 : 0;
    do {
      stream_->next_out = output_.data();
      stream_->avail_out = static_cast<std::uint32_t>(output_.size());
      SBX_ASSERT(isal_deflate(stream_.get()) == COMP_OK);  // every other code is misuse
      const std::size_t made = output_.size() - stream_->avail_out;
      SBX_TRY(sink_(std::as_bytes(std::span(output_).first(made))));
    } while (stream_->avail_out == 0 || (last && stream_->internal_state.state != ZSTATE_END));
    return {};
  }

  ByteSink sink_;
  std::unique_ptr<isal_zstream> stream_;
  std::vector<std::uint8_t> level_buffer_;
  std::vector<std::uint8_t> output_;
};

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(ByteSink sink)
      : sink_(std::move(sink)), context_(ZSTD_createCCtx(), &ZSTD_freeCCtx), output_(kOutputBytes) {
    SBX_ASSERT(context_ != nullptr);
    set(ZSTD_c_compressionLevel, kZstdLevel);
    set(ZSTD_c_checksumFlag, 1);
    const unsigned workers = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxWorkers);
    // Fails, and then compresses in this thread, in a library that was built without threads.
    (void)ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, static_cast<int>(workers));
  }

  Result<void> feed(std::span<const std::byte> data) override {
    return compress(data, ZSTD_e_continue);
  }
  Result<void> finish() override { return compress({}, ZSTD_e_end); }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    SBX_ASSERT(ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)) == 0);
  }

  Result<void> compress(std::span<const std::byte> data, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{output_.data(), output_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0) {
        return fail(Error::make(ErrorCode::kSystem, "compress", "", ZSTD_getErrorName(left)));
      }
      if (out.pos != 0) {
        SBX_TRY(sink_(std::span(output_).first(out.pos)));
      }
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) {
        return {};
      }
    }
  }

  ByteSink sink_;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
  std::vector<std::byte> output_;
};

}  // namespace

std::unique_ptr<Compressor> Compressor::make(Compression kind, ByteSink sink) {
  switch (kind) {
    case Compression::kGzip:
      return std::make_unique<GzipCompressor>(std::move(sink));
    case Compression::kZstd:
      return std::make_unique<ZstdCompressor>(std::move(sink));
    case Compression::kNone:
      break;
  }
  return std::make_unique<PlainCompressor>(std::move(sink));
}

}  // namespace sbx::layer
