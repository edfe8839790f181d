#include "registry/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/sha256.hpp"
#include "oci/media_type.hpp"
#include "registry/client_impl.hpp"
#include "registry/curl_error.hpp"
#include "sys/file.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxManifest = std::size_t{4} << 20U;  // as containerd and containers/image
constexpr std::size_t kMaxPem = std::size_t{4} << 20U;  // a distribution's whole bundle has 0.2

Result<std::shared_ptr<const TlsMaterial>> read_tls_files(const TlsFiles& files) {
  auto material = std::make_shared<TlsMaterial>();
  const auto read = [](const std::string& path) {
    return sys::read_file_at(AT_FDCWD, path, kMaxPem);
  };
  if (!files.ca_files.empty()) {
    // curl takes the system's file or ours: so ours are the system's and more.
    if (const std::string bundle = authority_bundle(); !bundle.empty()) {
      material->authorities = SBX_TRY(read(bundle)) + "\n";
    }
    for (const std::string& path : files.ca_files) {
      material->authorities += SBX_TRY(read(path)) + "\n";
    }
  }
  if (!files.client_certificate.empty()) {
    material->certificate = SBX_TRY(read(files.client_certificate));
  }
  if (!files.client_key.empty()) {
    material->key = SBX_TRY(read(files.client_key));
  }
  return std::shared_ptr<const TlsMaterial>(std::move(material));
}

std::string without_parameters(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find_first_of("; \t"));
  return std::string(
      media_type.substr(0, 255));  // RFC 6838 4.2 allows 127 on each side of the slash
}

}  // namespace

oci::Digest digest_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(bytes)));
  return oci::Digest(hash.finish());
}

std::span<const std::string_view> manifest_types() {
  static constexpr std::array<std::string_view, 4> kTypes = {
      oci::kOciIndexType, "application/vnd.docker.distribution.manifest.list.v2+json",
      oci::kOciManifestType, "application/vnd.docker.distribution.manifest.v2+json"};
  return kTypes;
}

Result<Request> Client::Impl::manifest_request(std::string_view method, std::string_view reference,
                                               std::span<const std::string_view> accepted) {
  Request request{.method = std::string(method)};
  request.url = SBX_TRY(exchange.address(target(fmt::format("manifests/{}", reference))));
  for (const std::string_view type : accepted) {
    request.headers.emplace_back("Accept", type);
  }
  return request;
}

/// Against what was asked for, if that was a digest, and what the registry claims, if it does.
Result<void> Client::Impl::check_digest(const Asked& asked, const oci::Digest& found,
                                        std::string_view reference, std::string_view claimed) {
  const bool by_digest = reference.find(':') != std::string_view::npos;
  for (const std::string_view wanted : {by_digest ? reference : std::string_view(), claimed}) {
    // A registry may name it by another algorithm; that says nothing to us.
    const bool comparable = wanted.starts_with("sha256:");
    if (comparable && wanted != found.str()) {
      return fail(Error::make(ErrorCode::kCorrupt, asked.op, asked.subject,
                              fmt::format("the registry sent something else, {} instead of {}",
                                          found.str(), printable(wanted, 80)))
                      .with_hint("the registry, or a proxy on the way, is broken or lies"));
    }
  }
  return {};
}

/// One attempt.
Result<Manifest> Client::Impl::fetch_manifest(std::string_view reference,
                                              std::span<const std::string_view> accepted) {
  const Asked what = asked("read manifest", reference);
  Request request = SBX_TRY(manifest_request("GET", reference, accepted));
  const std::unique_ptr<Response> response =
      SBX_TRY(exchange.expect(std::move(request), pull_scope(), what, {200}));
  Result<std::string> bytes = response->read_all(kMaxManifest);
  if (!bytes) {
    exchange.note_failure();
    return fail(std::move(bytes)
                    .context(fmt::format("reading manifest '{}'", printable(what.subject)))
                    .error());
  }
  Manifest manifest{.bytes = std::move(bytes).value(),
                    .media_type = without_parameters(response->header("content-type"))};
  manifest.digest = digest_of(manifest.bytes);
  SBX_TRY(
      check_digest(what, manifest.digest, reference, response->header("docker-content-digest")));
  return manifest;
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Client> Client::make(Endpoint endpoint, ClientOptions options) {
  prepare_http();
  std::shared_ptr<const TlsMaterial> tls = SBX_TRY(
      read_tls_files(endpoint.tls)
          .context(fmt::format("reading the certificates for {}", printable(endpoint.host))));
  return Client(std::make_unique<Impl>(std::move(endpoint), std::move(options), std::move(tls)));
}

const Endpoint& Client::endpoint() const { return impl_->endpoint(); }

Result<void> Client::ping() {
  Exchange& exchange = impl_->exchange;
  const std::string& host = impl_->endpoint().host;
  return exchange.persist<void>([&]() -> Result<void> {
    Request request{.url = SBX_TRY(exchange.address("/v2/"))};
    const Asked what{"talk to registry", registry_name(host), host};
    (void)SBX_TRY(exchange.expect(std::move(request), "", what, {200}));
    return {};
  });
}

Result<Manifest> Client::manifest(std::string_view reference,
                                  std::span<const std::string_view> accepted) {
  return impl_->exchange.persist<Manifest>(
      [&] { return impl_->fetch_manifest(reference, accepted); });
}

Result<oci::Digest> Client::head_manifest(std::string_view reference,
                                          std::span<const std::string_view> accepted) {
  Exchange& exchange = impl_->exchange;
  const auto attempt = [&]() -> Result<std::optional<oci::Digest>> {
    Request request = SBX_TRY(impl_->manifest_request("HEAD", reference, accepted));
    const Asked what = impl_->asked("look up manifest", reference);
    const std::unique_ptr<Response> response =
        SBX_TRY(exchange.expect(std::move(request), impl_->pull_scope(), what, {200, 405}));
    Result<oci::Digest> digest = oci::Digest::parse(response->header("docker-content-digest"));
    if (response->status() != 200 || !digest) {
      return std::optional<oci::Digest>();
    }
    SBX_TRY(Impl::check_digest(what, *digest, reference, {}));
    return std::optional(*digest);
  };
  if (const auto digest = SBX_TRY(exchange.persist<std::optional<oci::Digest>>(attempt))) {
    return *digest;
  }
  return SBX_TRY(manifest(reference, accepted)).digest;
}

Result<std::unique_ptr<BlobStream>> Client::open_blob(const oci::Digest& digest, std::uint64_t size,
                                                      std::uint64_t offset) {
  auto stream =
      std::make_unique<BlobStream>(impl_->exchange, impl_->blob_target(digest), impl_->pull_scope(),
                                   impl_->asked("read blob", digest.str()), size, offset);
  SBX_TRY(stream->open());
  return stream;
}

Result<bool> Client::has_blob(const oci::Digest& digest, std::uint64_t size) {
  Exchange& exchange = impl_->exchange;
  return exchange.persist<bool>([&]() -> Result<bool> {
    Request request{.method = "HEAD", .url = SBX_TRY(exchange.address(impl_->blob_target(digest)))};
    const Asked what = impl_->asked("look up blob", digest.str());
    const std::unique_ptr<Response> response =
        SBX_TRY(exchange.expect(std::move(request), impl_->pull_scope(), what, {200, 404}));
    const std::optional<std::uint64_t> length = response->length();
    if (response->status() == 200 && length && *length != size) {
      return fail(
          Error::make(ErrorCode::kCorrupt, what.op, what.subject,
                      fmt::format("the registry has {} bytes, it should be {}", *length, size)));
    }
    return response->status() == 200;
  });
}

}  // namespace sbx::registry
