#include "registry/upload.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "registry/ranges.hpp"

namespace sbx::registry {
namespace {

// What a broken connection may cost at most; more requests would cost round trips.
constexpr std::uint64_t kPiece = std::uint64_t{32} << 20U;
// A registry may ask for larger pieces (OCI-Chunk-Min-Length), but not for all at once.
constexpr std::uint64_t kLargestPiece = std::uint64_t{1} << 30U;
constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10U;
// The registry hashes, and may copy, all of the blob before it answers.
constexpr std::chrono::minutes kFinishWithin{10};

}  // namespace

Upload::Upload(Exchange& exchange, std::string target, std::string scope, Asked asked, Blob blob,
               std::optional<Url> offered)
    : exchange_(exchange),
      target_(std::move(target)),
      scope_(std::move(scope)),
      asked_(std::move(asked)),
      blob_(std::move(blob)),
      location_(std::move(offered)),
      piece_(kPiece) {}

/// Where to go on: each answer names it anew, and the old one is over.
Result<void> Upload::take_location(const Response& response) {
  const std::string_view text = response.header("location");
  if (text.empty()) {
    return fail(Error::make(ErrorCode::kCorrupt, asked_.op, asked_.subject,
                            "the registry does not say where the upload goes on (no Location)"));
  }
  location_ = SBX_TRY(response.url().resolve(text).context(
      fmt::format("uploading '{}'", printable(asked_.subject))));
  return {};
}

Result<void> Upload::begin() {
  offset_ = 0;
  Request request{.method = "POST", .url = SBX_TRY(exchange_.address(target_))};
  const auto response = SBX_TRY(exchange_.expect(std::move(request), scope_, asked_, {202}));
  if (const auto least = parse_count(response->header("oci-chunk-min-length"))) {
    piece_ = std::clamp(*least, kPiece, kLargestPiece);
  }
  return take_location(*response);
}

Result<Request> Upload::closing_request() const {
  Request request{.method = "PUT", .url = location_->with_query("digest", blob_.digest.str())};
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.headers_within = kFinishWithin;
  return request;
}

Result<void> Upload::finish(Request request) {
  const auto response = SBX_TRY(exchange_.expect(std::move(request), scope_, asked_, {201, 204}));
  const std::string_view claimed = response->header("docker-content-digest");
  if (claimed.starts_with("sha256:") && claimed != blob_.digest.str()) {
    return fail(
        Error::make(ErrorCode::kCorrupt, asked_.op, asked_.subject,
                    fmt::format("the registry stored something else, {}", printable(claimed, 80))));
  }
  return {};
}

/// One attempt: all of it in one PUT.
Result<void> Upload::send_whole() {
  const bool offered = location_.has_value();
  if (!offered) {
    SBX_TRY(begin());
  }
  Request request = SBX_TRY(closing_request());
  request.body = blob_.reader;
  request.body_size = blob_.size;
  location_.reset();  // whatever comes of it, this upload is over
  Result<void> finished = finish(std::move(request));
  if (!finished && offered && finished.error().code == ErrorCode::kNotFound) {
    exchange_.note_broken();  // an upload that was opened a while ago may be gone
  }
  return finished;
}

/// One PATCH. `offset_` is what the registry says it has afterwards.
Result<void> Upload::send_piece() {
  const std::uint64_t count = std::min(piece_, blob_.size - offset_);
  Request request{.method = "PATCH", .url = *location_};
  request.headers = {{"Content-Type", "application/octet-stream"},
                     {"Content-Range", fmt::format("{}-{}", offset_, offset_ + count - 1)}};
  request.body = blob_.reader;
  request.body_offset = offset_;
  request.body_size = count;
  request.headers_within = kFinishWithin;  // what the kernel has taken may be long on its way
  const auto response = SBX_TRY(exchange_.expect(std::move(request), scope_, asked_,
                                                 {202, 204, 400, 404, 405, 413, 415, 416, 501}));
  if (response->status() >= 300) {
    if (response->status() == 416) {
      exchange_.note_broken();  // it has more or less than we think: find_offset() asks
    }
    takes_no_pieces_ = offset_ == 0;
    return fail(refusal(asked_, response->status(),
                        describe_error_body(response->read_all(kMaxErrorBody).value_or(""))));
  }
  return take_progress(*response, offset_ + count);
}

Result<void> Upload::take_progress(const Response& response, std::uint64_t sent) {
  SBX_TRY(take_location(response));
  const std::optional<std::uint64_t> has = parse_upload_range(response.header("range"));
  if (has && *has > sent) {
    return fail(
        Error::make(ErrorCode::kCorrupt, asked_.op, asked_.subject,
                    fmt::format("the registry claims to have {} bytes, {} were sent", *has, sent)));
  }
  if (has && *has <= offset_) {
    return fail(
        Error::make(ErrorCode::kSystem, asked_.op, asked_.subject,
                    fmt::format("the registry took nothing of the bytes from {} on", offset_)));
  }
  offset_ = has.value_or(sent);
  return {};
}

/// After a break: how much arrived. An upload that is gone, or has nothing, begins anew.
Result<void> Upload::find_offset() {
  if (!location_) {
    return begin();
  }
  Request request{.url = *location_};
  const auto response = SBX_TRY(
      exchange_.expect(std::move(request), scope_, asked_, {200, 202, 204, 400, 404, 405, 416}));
  const std::optional<std::uint64_t> has = parse_upload_range(response->header("range"));
  const bool known = response->status() < 300 && has.value_or(0) != 0 && *has <= blob_.size;
  if (!known) {
    return begin();
  }
  SBX_TRY(take_location(*response));
  offset_ = *has;
  return {};
}

Result<void> Upload::send_pieces() {
  bool broken = !location_;
  int tries = 0;
  for (;;) {
    exchange_.forget_failure();
    const std::uint64_t before = offset_;
    Result<void> went = broken ? find_offset() : Result<void>();
    if (went) {
      broken = false;
      if (offset_ < blob_.size) {
        went = send_piece();
      } else {
        return finish(SBX_TRY(closing_request()));
      }
    }
    if (went) {
      tries = offset_ > before ? 0 : tries;
      continue;
    }
    broken = true;
    if (!exchange_.may_try_again(++tries)) {
      return went;
    }
    SBX_TRY(exchange_.wait(tries));
  }
}

Result<void> Upload::run() {
  if (blob_.size > kPiece) {
    Result<void> sent = send_pieces();
    if (sent || !takes_no_pieces_) {
      return sent;
    }
    location_.reset();  // a registry without PATCH, or with smaller pieces: most take it whole
  }
  return exchange_.persist<void>([this] { return send_whole(); });
}

}  // namespace sbx::registry
