#pragma once

// What the parts of Client share: client.cpp (reading), client_push.cpp, client_list.cpp.

#include <fmt/format.h>

#include "registry/client.hpp"

namespace sbx::registry {

/// SHA-256 of the bytes.
oci::Digest digest_of(std::string_view bytes);

struct Client::Impl {
  Impl(Endpoint endpoint, ClientOptions options, std::shared_ptr<const TlsMaterial> tls)
      : exchange(std::move(endpoint), std::move(options), std::move(tls)) {}

  [[nodiscard]] const Endpoint& endpoint() const { return exchange.endpoint(); }
  [[nodiscard]] std::string pull_scope() const {
    return fmt::format("repository:{}:pull", endpoint().repository);
  }
  [[nodiscard]] std::string push_scope() const {
    return fmt::format("repository:{}:pull,push", endpoint().repository);
  }
  [[nodiscard]] std::string target(std::string_view rest) const {
    return fmt::format("/v2/{}/{}", endpoint().repository, rest);
  }
  [[nodiscard]] std::string blob_target(const oci::Digest& digest) const {
    return target("blobs/" + digest.str());
  }
  /// As people write it: HOST/REPOSITORY:TAG.
  [[nodiscard]] Asked asked(std::string op, std::string_view reference) const {
    const bool digest = reference.find(':') != std::string_view::npos;
    return {std::move(op),
            fmt::format("{}/{}{}{}", registry_name(endpoint().host), endpoint().repository,
                        digest ? "@" : ":", reference),
            endpoint().host};
  }
  Result<Request> manifest_request(std::string_view method, std::string_view reference,
                                   std::span<const std::string_view> accepted);
  Result<Manifest> fetch_manifest(std::string_view reference,
                                  std::span<const std::string_view> accepted);
  static Result<void> check_digest(const Asked& asked, const oci::Digest& found,
                                   std::string_view reference, std::string_view claimed);

  Exchange exchange;
  /// What the registry opened instead of mounting a blob: the next upload begins there.
  std::optional<Url> offered_upload;
};

}  // namespace sbx::registry
