#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/descriptor.hpp"
#include "oci/digest.hpp"
#include "registry/blob_stream.hpp"
#include "registry/endpoint.hpp"
#include "registry/exchange.hpp"
#include "registry/listing.hpp"

namespace sbx::registry {

/// A manifest or index as the registry sent it.
struct Manifest {
  std::string bytes;       // at most 4 MiB
  std::string media_type;  // of the Content-Type header, without parameters; empty if there is none
  oci::Digest
      digest;  // of the bytes, and equal to what was asked for and to what the registry claims
};

/// Indexes and manifests, of OCI and of docker.
std::span<const std::string_view> manifest_types();

/// One repository of one registry (distribution-spec 1.1). Not thread-safe: a client per thread, which may share
/// ClientOptions::memory. One blob at a time is read; another request ends it (and the stream opens it again).
///
/// Errors name registry, repository and status: kDenied (401, 403, TLS), kNotFound (404), kBusy (429, or stopped),
/// kCorrupt (not what was asked for), kLimit (too large), kSystem (no connection, 5xx). What may pass has been tried
/// RetryPolicy::tries times then.
class Client {
 public:
  /// Reads the files of endpoint.tls; nothing is sent yet.
  static Result<Client> make(Endpoint endpoint, ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] const Endpoint& endpoint() const;

  /// Whether a registry answers and takes the credentials (`sbx login`).
  Result<void> ping();

  /// GET /v2/NAME/manifests/REFERENCE. `reference` is a tag or a digest.
  Result<Manifest> manifest(std::string_view reference, std::span<const std::string_view> accepted);

  /// The digest alone, by HEAD; by GET where the registry does not tell it.
  Result<oci::Digest> head_manifest(std::string_view reference,
                                    std::span<const std::string_view> accepted);

  /// GET /v2/NAME/blobs/DIGEST from `offset` on. The content is not hashed here: whoever writes it does that. The
  /// client must outlive the stream.
  Result<std::unique_ptr<BlobStream>> open_blob(const oci::Digest& digest, std::uint64_t size,
                                                std::uint64_t offset = 0);

  /// HEAD /v2/NAME/blobs/DIGEST. kCorrupt if the registry has it with another size.
  Result<bool> has_blob(const oci::Digest& digest, std::uint64_t size);

  /// POST ...?mount=DIGEST&from=REPOSITORY: takes a blob over from another repository of the same registry. False if it
  /// has to be uploaded: the registry does not have it there, does not let us read it there, or does not mount.
  Result<bool> mount_blob(const oci::Digest& digest, std::string_view from_repository);

  /// POST, then PUT; more than 32 MiB in pieces by PATCH, which go on where a broken connection left them. `reader` is
  /// asked for any part, and again. The registry checks the digest (kSystem: 400 DIGEST_INVALID).
  Result<void> upload_blob(const oci::Digest& digest, std::uint64_t size, const BodyReader& reader);

  /// The same for bytes in memory.
  Result<void> upload_blob(const oci::Digest& digest, std::string_view bytes);

  /// PUT /v2/NAME/manifests/REFERENCE. The digest of the bytes, which the registry confirmed if it names one.
  Result<oci::Digest> put_manifest(std::string_view reference, std::string_view bytes,
                                   std::string_view media_type);

  /// GET /v2/NAME/tags/list, page by page, in the registry's order. `complete` is false if there are more than `limit`.
  Result<Tags> tags(std::size_t limit);

  /// What other documents say about this one (referrers API, or its fallback tag "sha256-HEX"); empty if there is nothing
  /// or the registry knows neither.
  Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& digest);

  /// Repositories whose name or description has the term: docker.io's and others' /v1/search, else those of the catalog
  /// (/v2/_catalog, at most 20 pages) whose name has it. The endpoint's repository is not looked at.
  Result<SearchResults> search(std::string_view term, std::size_t limit);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sbx::registry
