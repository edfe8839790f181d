#include "registry/blob_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "registry/ranges.hpp"

namespace sbx::registry {
namespace {

// A registry that cuts after each byte shall not keep us for ever.
constexpr std::uint64_t kProgress = std::uint64_t{64} << 10U;
constexpr std::size_t kSkipPiece = std::size_t{256} << 10U;

}  // namespace

BlobStream::BlobStream(Exchange& exchange, std::string target, std::string scope, Asked asked,
                       std::uint64_t size, std::uint64_t offset)
    : exchange_(exchange),
      target_(std::move(target)),
      scope_(std::move(scope)),
      asked_(std::move(asked)),
      size_(size),
      offset_(offset),
      progress_mark_(offset) {}

Unexpected<Error> BlobStream::corrupt(std::string reason) const {
  return fail(Error::make(ErrorCode::kCorrupt, asked_.op, asked_.subject, std::move(reason))
                  .with_hint("the registry, or a proxy on the way, is broken or lies"));
}

Result<void> BlobStream::check_range(const Response& response) const {
  const std::optional<ContentRange> range = parse_content_range(response.header("content-range"));
  if (!range || range->first != offset_ || range->last >= size_ ||
      range->total.value_or(size_) != size_) {
    return corrupt(fmt::format("asked for the bytes from {} on of {}, the registry answers '{}'",
                               offset_, size_, printable(response.header("content-range"), 80)));
  }
  return {};
}

Result<void> BlobStream::skip(std::uint64_t count) {
  std::vector<std::byte> piece(
      static_cast<std::size_t>(std::min<std::uint64_t>(count, kSkipPiece)));
  while (count != 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, piece.size()));
    Result<std::size_t> got = response_->read(std::span(piece).first(wanted));
    if (!got) {
      exchange_.note_failure();
      return fail(std::move(got).error());
    }
    if (*got == 0) {
      return corrupt(fmt::format("it ends before byte {}", offset_));
    }
    count -= *got;
  }
  return {};
}

/// One attempt.
Result<void> BlobStream::connect() {
  response_.reset();
  Request request{.url = SBX_TRY(exchange_.address(target_))};
  // A proxy that compresses on the way would make other bytes of it.
  request.headers = {{"Accept-Encoding", "identity"}};
  if (offset_ != 0) {
    request.headers.emplace_back("Range", fmt::format("bytes={}-{}", offset_, size_ - 1));
  }
  response_ = SBX_TRY(exchange_.expect(std::move(request), scope_, asked_, {200, 206}));
  if (response_->status() == 206) {
    return check_range(*response_);
  }
  if (const std::optional<std::uint64_t> length = response_->length(); length && *length != size_) {
    return corrupt(fmt::format("the manifest says {} bytes, the registry {}", size_, *length));
  }
  return skip(offset_);
}

Result<void> BlobStream::open() {
  if (offset_ > size_) {
    return corrupt(fmt::format("byte {} of {} is wanted", offset_, size_));
  }
  if (offset_ == size_ && size_ != 0) {
    ended_ = true;  // a range of no bytes cannot be asked for
    return {};
  }
  return exchange_.persist<void>([this] { return connect(); });
}

Result<void> BlobStream::check_end() {
  if (ended_) {
    return {};
  }
  if (response_ && !response_->superseded() && !response_->length()) {
    std::byte extra{};
    const Result<std::size_t> got = response_->read(std::span(&extra, 1));
    if (got && *got != 0) {
      return corrupt(fmt::format("it goes on after its {} bytes", size_));
    }
  }
  ended_ = true;
  response_.reset();
  return {};
}

Result<std::size_t> BlobStream::read_once(std::span<std::byte> data) {
  if (!response_ || response_->superseded()) {
    SBX_TRY(connect());
  }
  Result<std::size_t> got = response_->read(data);
  if (!got) {
    exchange_.note_failure();
    return got;
  }
  if (*got == 0) {
    // Also how a cut connection looks when the registry gave no length, so it is not final yet.
    exchange_.note_broken();
    return corrupt(fmt::format("it ends after {} of its {} bytes", offset_, size_));
  }
  return got;
}

Result<std::size_t> BlobStream::read(std::span<std::byte> data) {
  const std::uint64_t left = size_ - offset_;
  if (left == 0) {
    SBX_TRY(check_end());
    return std::size_t{0};
  }
  data = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, data.size())));
  for (;;) {
    exchange_.forget_failure();
    Result<std::size_t> got = read_once(data);
    if (got) {
      offset_ += *got;
      if (offset_ - progress_mark_ >= kProgress) {
        progress_mark_ = offset_;
        tries_ = 0;
      }
      return got;
    }
    response_.reset();
    if (!exchange_.may_try_again(++tries_)) {
      return got;
    }
    SBX_TRY(exchange_.wait(tries_));
  }
}

}  // namespace sbx::registry
