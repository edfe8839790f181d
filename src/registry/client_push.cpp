#include "base/sha256.hpp"
#include "registry/client_impl.hpp"
#include "registry/upload.hpp"

namespace sbx::registry {
namespace {

constexpr std::string_view kUploads = "blobs/uploads/";

BodyReader reader_of(std::string_view bytes) {
  return [bytes](std::uint64_t offset, std::span<std::byte> data) -> Result<std::size_t> {
    const std::string_view rest = bytes.substr(static_cast<std::size_t>(offset), data.size());
    const auto source = std::as_bytes(std::span(rest));
    std::copy(source.begin(), source.end(), data.begin());
    return rest.size();
  };
}

}  // namespace

Result<bool> Client::mount_blob(const oci::Digest& digest, std::string_view from_repository) {
  Exchange& exchange = impl_->exchange;
  const std::string scope =
      fmt::format("{} repository:{}:pull", impl_->push_scope(), from_repository);
  return exchange.persist<bool>([&]() -> Result<bool> {
    Request request{.method = "POST", .url = SBX_TRY(exchange.address(impl_->target(kUploads)))};
    request.url = request.url.with_query("mount", digest.str()).with_query("from", from_repository);
    const Asked what = impl_->asked("mount blob", digest.str());
    const auto response = SBX_TRY(
        exchange.expect(std::move(request), scope, what, {201, 202, 400, 401, 403, 404, 405}));
    if (response->status() == 202) {
      Result<Url> offered = response->url().resolve(response->header("location"));
      impl_->offered_upload = offered ? std::optional(std::move(offered).value()) : std::nullopt;
    }
    return response->status() == 201;
  });
}

Result<void> Client::upload_blob(const oci::Digest& digest, std::uint64_t size,
                                 const BodyReader& reader) {
  Upload upload(impl_->exchange, impl_->target(kUploads), impl_->push_scope(),
                impl_->asked("upload blob", digest.str()),
                {.digest = digest, .size = size, .reader = reader},
                std::exchange(impl_->offered_upload, std::nullopt));
  return upload.run();
}

Result<void> Client::upload_blob(const oci::Digest& digest, std::string_view bytes) {
  return upload_blob(digest, bytes.size(), reader_of(bytes));
}

Result<oci::Digest> Client::put_manifest(std::string_view reference, std::string_view bytes,
                                         std::string_view media_type) {
  Exchange& exchange = impl_->exchange;
  const oci::Digest digest = digest_of(bytes);
  return exchange.persist<oci::Digest>([&]() -> Result<oci::Digest> {
    const std::string target = impl_->target(fmt::format("manifests/{}", reference));
    Request request{.method = "PUT", .url = SBX_TRY(exchange.address(target))};
    request.headers = {{"Content-Type", std::string(media_type)}};
    request.body = reader_of(bytes);
    request.body_size = bytes.size();
    const Asked what = impl_->asked("write manifest", reference);
    const auto response =
        SBX_TRY(exchange.expect(std::move(request), impl_->push_scope(), what, {201}));
    SBX_TRY(Impl::check_digest(what, digest, reference, response->header("docker-content-digest")));
    return digest;
  });
}

}  // namespace sbx::registry
