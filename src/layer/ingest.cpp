#include "layer/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "base/sha256.hpp"
#include "layer/buffer_ring.hpp"
#include "layer/tar_reader.hpp"
#include "sys/file.hpp"
#include "sys/writeback.hpp"

namespace sbx::layer {
namespace {

// 4 MiB in flight: large enough to hide a slow write, small enough for a shared cache.
constexpr std::size_t kSlots = 16;
constexpr std::size_t kSlotBytes = 256U << 10U;
constexpr std::size_t kHasher = 0;
constexpr std::size_t kWriter = 1;
constexpr std::uint64_t kWritebackStep = 8U << 20U;

/// Hashes and counts what passes, and refuses more than was promised.
class HashingSource final : public ByteSource {
 public:
  HashingSource(ByteSource& source, std::uint64_t size, std::string_view name)
      : source_(source), size_(size), name_(name) {}

  Result<std::size_t> read(std::span<std::byte> data) override {
    const std::size_t got = SBX_TRY(source_.read(data));
    hash_.update(data.first(got));
    bytes_ += got;
    if (bytes_ > size_) {
      return fail(
          Error::make(ErrorCode::kCorrupt, "read layer", name_, "it is larger than it should be"));
    }
    return got;
  }

  /// Reads what a decompressor left (nothing, if all is well) and gives the digest of everything.
  Result<oci::Digest> finish() {
    std::vector<std::byte> rest(kSlotBytes);
    while (SBX_TRY(read(rest)) != 0) {
    }
    if (bytes_ < size_) {
      return fail(
          Error::make(ErrorCode::kCorrupt, "read layer", name_, "it is smaller than it should be"));
    }
    return oci::Digest(hash_.finish());
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  ByteSource& source_;
  std::uint64_t size_;
  std::string_view name_;
  std::uint64_t bytes_ = 0;
  Sha256 hash_;
};

class Pipeline {
 public:
  Pipeline(const IngestRequest& request, LayerIndex& index)
      : request_(request),
        source_(*request.source, request.compressed_size, request.name),
        reader_([&index](const TarEntry& entry) { return index.add(entry); }),
        ring_(kSlots, kSlotBytes, 2) {}

  Result<IngestedLayer> run() {
    Result<void> produced;
    {
      const std::jthread hasher([this] { hash(); });
      const std::jthread writer([this] { write(); });
      produced = produce();
      if (produced) {
        ring_.finish();
      } else {
        ring_.cancel();
      }
    }
    SBX_TRY(written_);  // if both failed, the writer was the first: it cancels the producer
    SBX_TRY(produced);
    const oci::Digest compressed = SBX_TRY(source_.finish());
    return IngestedLayer{compressed, oci::DiffId(hash_.finish()), tar_size_};
  }

  /// The digest of the source after a failure; nullopt if it cannot be read.
  std::optional<oci::Digest> digest_of_rest() {
    const Result<oci::Digest> digest = source_.finish();
    return digest ? std::optional(*digest) : std::nullopt;
  }

 private:
  Result<void> produce() {
    const std::unique_ptr<ByteSource> tar =
        SBX_TRY(open_decompressor(source_, request_.limits, request_.name));
    for (;;) {
      const std::span<std::byte> buffer = ring_.acquire();
      if (buffer.empty()) {
        return {};  // the writer failed and says why
      }
      const std::size_t size = SBX_TRY(tar->read(buffer));
      if (size == 0) {
        return {};
      }
      ring_.publish(size);
      produced_ += size;
      if (request_.progress) {
        request_.progress({source_.bytes(), produced_});
      }
    }
  }

  void hash() {
    while (const auto buffer = ring_.next(kHasher)) {
      hash_.update(*buffer);
      ring_.release(kHasher);
    }
  }

  void write() {
    while (const auto buffer = ring_.next(kWriter)) {
      written_ = write_one(*buffer);
      if (!written_) {
        ring_.cancel();
        return;
      }
      ring_.release(kWriter);
    }
    if (!ring_.cancelled()) {
      written_ = reader_.finish();
    }
  }

  Result<void> write_one(std::span<const std::byte> buffer) {
    SBX_TRY(reader_.feed(buffer));
    SBX_TRY(sys::write_full(request_.output, buffer, request_.name));
    tar_size_ += buffer.size();
    if (tar_size_ - writeback_ >= kWritebackStep) {
      sys::start_writeback(request_.output, writeback_, tar_size_ - writeback_);
      writeback_ = tar_size_;
    }
    return {};
  }

  const IngestRequest& request_;
  HashingSource source_;  // of this thread
  std::uint64_t produced_ = 0;
  Sha256 hash_;       // of the hasher, until it is joined
  TarReader reader_;  // the rest: of the writer, until it is joined
  Result<void> written_;
  std::uint64_t tar_size_ = 0;
  std::uint64_t writeback_ = 0;
  BufferRing ring_;
};

}  // namespace

Error wrong_digest(std::string_view what, std::string_view expected, std::string_view got) {
  return Error::make(
      ErrorCode::kCorrupt, "verify", what,
      fmt::format("its digest should be {} and is {}: it was damaged or tampered with", expected,
                  got));
}

Result<IngestedLayer> ingest_layer(const IngestRequest& request, const oci::Digest* expected,
                                   LayerIndex& index) {
  Pipeline pipeline(request, index);
  Result<IngestedLayer> layer = pipeline.run();
  if (layer || expected == nullptr || layer.error().code != ErrorCode::kCorrupt) {
    return layer;
  }
  // Broken content is a symptom; that the bytes are not those that were asked for is the cause.
  const std::optional<oci::Digest> got = pipeline.digest_of_rest();
  if (got && *got != *expected) {
    return fail(wrong_digest(request.name, expected->str(), got->str()));
  }
  return layer;
}

Result<void> index_stored_layer(int fd, std::uint64_t size, std::string_view name,
                                LayerIndex& index) {
  TarReader reader([&index](const TarEntry& entry) { return index.add(entry); });
  std::vector<std::byte> buffer(64U << 10U);
  for (std::uint64_t at = 0; at < size;) {
    if (const std::uint64_t pass = std::min(reader.skippable(), size - at); pass > buffer.size()) {
      reader.skip(pass);
      at += pass;
      continue;
    }
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    const std::size_t got = SBX_TRY(sys::pread_full(fd, part, at, name));
    if (got < part.size()) {
      return fail(
          Error::make(ErrorCode::kCorrupt, "index layer", name, "it is shorter than it was"));
    }
    SBX_TRY(reader.feed(part));
    at += got;
  }
  return reader.finish();
}

}  // namespace sbx::layer
