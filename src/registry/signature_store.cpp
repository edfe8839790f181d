#include "registry/signature_store.hpp"

#include <fmt/format.h>

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxSignature = std::size_t{1} << 20U;

Result<std::optional<std::string>> fetch_one(Exchange& exchange, const Url& url) {
  const Asked asked{"fetch signature", url.shown(), url.host};
  return exchange.persist<std::optional<std::string>>([&]() -> Result<std::optional<std::string>> {
    const std::unique_ptr<Response> response =
        SBX_TRY(exchange.expect({.url = url}, "", asked, {200, 404}));
    if (response->status() == 404) {
      return std::optional<std::string>();
    }
    Result<std::string> text = response->read_all(kMaxSignature);
    if (!text) {
      exchange.note_failure();
      return fail(std::move(text).error());
    }
    return std::optional(std::move(text).value());
  });
}

}  // namespace

SignatureFetcher fetch_signatures(ClientOptions options) {
  return [options = std::move(options)](
             const std::string& address) -> Result<std::optional<std::string>> {
    const Url url = SBX_TRY(Url::parse(address));
    Endpoint server;
    server.host = fmt::format("{}:{}", url.host, url.port);
    server.insecure =
        !url.tls;  // who writes http in registries.d means it; signatures vouch for themselves
    Exchange exchange(std::move(server), options, std::make_shared<const TlsMaterial>());
    return fetch_one(exchange, url);
  };
}

}  // namespace sbx::registry
