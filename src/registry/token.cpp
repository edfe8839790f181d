#include "registry/token.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxTokenDocument = std::size_t{1} << 20U;
constexpr std::size_t kMaxToken = std::size_t{64}
                                  << 10U;  // more does not fit into the registry's headers
constexpr std::int64_t kMaxLifetime = 86'400;
// A token that ends while the request is on its way costs a round trip more.
constexpr std::chrono::seconds kMargin{5};

/// Bytes that may stand in a header: a token that has a line break in it would add headers of its own.
bool fits_into_header(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Error bad_token(std::string_view server, std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "get a token from", server, std::move(reason));
}

std::string form(std::string_view name, std::string_view value) {
  return fmt::format("{}={}", name, percent_encode(value));
}

Result<Url> checked_realm(const Endpoint& endpoint, const Url& registry,
                          const Challenge& challenge) {
  Url realm =
      SBX_TRY(Url::parse(challenge.realm)
                  .context(fmt::format("asking for a token for {}", printable(endpoint.host))));
  if (registry.tls && !realm.tls && !endpoint.insecure) {
    return fail(
        Error::make(
            ErrorCode::kDenied, "ask for a token at", realm.shown(),
            fmt::format("the registry {} is reached by https, and its token server by plain http",
                        printable(endpoint.host)))
            .with_hint("the registry is set up wrongly; --tls-verify=false does it all the same"));
  }
  return realm;
}

Request refresh_request(const Url& realm, const Credentials& credentials,
                        const Challenge& challenge, const std::vector<std::string>& scopes) {
  std::string words;
  for (const std::string& scope : scopes) {
    words += (words.empty() ? "" : " ") + scope;
  }
  const std::string body = fmt::format("grant_type=refresh_token&client_id=sbx&{}&{}&{}",
                                       form("service", challenge.service), form("scope", words),
                                       form("refresh_token", credentials.identity_token));
  Request request{.method = "POST", .url = realm};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body_size = body.size();
  request.body = [body](std::uint64_t offset, std::span<std::byte> data) -> Result<std::size_t> {
    const std::size_t count = std::min<std::size_t>(data.size(), body.size() - offset);
    std::transform(body.begin() + static_cast<std::ptrdiff_t>(offset),
                   body.begin() + static_cast<std::ptrdiff_t>(offset + count), data.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    return count;
  };
  return request;
}

}  // namespace

Result<Token> parse_token(std::string_view json, std::string_view server) {
  Result<Json> document = parse_json(json, "token", {.bytes = kMaxTokenDocument});
  if (!document || !document->is_object()) {
    return fail(bad_token(server, "the answer is no JSON object"));
  }
  std::optional<std::string> value = SBX_TRY(find_string(*document, "token"));
  if (!value || value->empty()) {
    value = SBX_TRY(find_string(*document, "access_token"));
  }
  if (!value || value->empty()) {
    return fail(bad_token(server, "the answer has no token"));
  }
  if (value->size() > kMaxToken || !fits_into_header(*value)) {
    return fail(bad_token(server, "the token is too long, or not made of printable characters"));
  }
  Token token{.value = std::move(*value)};
  if (const std::optional<std::int64_t> given = SBX_TRY(find_integer(*document, "expires_in"))) {
    token.lifetime = std::chrono::seconds(std::clamp<std::int64_t>(*given, 0, kMaxLifetime));
  }
  return token;
}

Result<Request> token_request(const Endpoint& endpoint, const Url& registry,
                              const Challenge& challenge, const std::vector<std::string>& scopes) {
  Url realm = SBX_TRY(checked_realm(endpoint, registry, challenge));
  if (endpoint.credentials && !endpoint.credentials->identity_token.empty()) {
    return refresh_request(realm, *endpoint.credentials, challenge, scopes);
  }
  if (!challenge.service.empty()) {
    realm = realm.with_query("service", challenge.service);
  }
  for (const std::string& scope : scopes) {
    realm = realm.with_query("scope", scope);
  }
  realm = realm.with_query("client_id", "sbx");
  Request request;
  if (endpoint.credentials) {
    realm = realm.with_query("account", endpoint.credentials->username);
    request.authorization = basic_authorization(*endpoint.credentials);
  }
  request.url = std::move(realm);
  return request;
}

std::string basic_authorization(const Credentials& credentials) {
  return "Basic " + encode_base64(credentials.username + ":" + credentials.password);
}

std::string HostMemory::authorization(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = authorizations_.find(key);
  return found != authorizations_.end() && found->second.until > Clock::now() ? found->second.value
                                                                              : std::string();
}

void HostMemory::remember_authorization(const std::string& key, std::string value,
                                        std::chrono::seconds lifetime) {
  const std::lock_guard lock(mutex_);
  authorizations_[key] = {std::move(value), Clock::now() + lifetime - kMargin};
}

void HostMemory::forget_authorization(const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  const auto found = authorizations_.find(key);
  if (found != authorizations_.end() && found->second.value == value) {
    authorizations_.erase(found);
  }
}

std::optional<bool> HostMemory::speaks_tls(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = tls_.find(host);
  return found == tls_.end() ? std::nullopt : std::optional(found->second);
}

void HostMemory::remember_tls(const std::string& host, bool tls) {
  const std::lock_guard lock(mutex_);
  tls_[host] = tls;
}

std::string authorization_key(const Endpoint& endpoint, std::string_view scope) {
  std::string secret;
  if (endpoint.credentials) {
    const Credentials& c = *endpoint.credentials;
    secret = fmt::format("{}:{}{}:{}{}", c.username.size(), c.username, c.password.size(),
                         c.password, c.identity_token);
  }
  Sha256 fingerprint;
  fingerprint.update(std::as_bytes(std::span(secret)));
  return fmt::format("{} {} {}", endpoint.host, fingerprint.finish_hex(), scope);
}

}  // namespace sbx::registry
