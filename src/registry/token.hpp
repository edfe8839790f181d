#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "registry/challenge.hpp"
#include "registry/endpoint.hpp"
#include "registry/http.hpp"

namespace sbx::registry {

/// What a token server gave (distribution's docs/spec/auth/token.md).
struct Token {
  std::string value;                  // a secret
  std::chrono::seconds lifetime{60};  // 60 s if it does not say; cut to a day
};

/// `token` or `access_token`, and `expires_in`. kCorrupt, without repeating any of it.
Result<Token> parse_token(std::string_view json, std::string_view server);

/// The request for a token that answers `challenge`: GET with Basic credentials, or POST with the identity token
/// (OAuth 2, docs/spec/auth/oauth.md). kDenied if the realm is plain HTTP while the registry is not: credentials, and
/// tokens, would be there for everybody to read. `scopes` as in "repository:library/busybox:pull".
Result<Request> token_request(const Endpoint& endpoint, const Url& registry,
                              const Challenge& challenge, const std::vector<std::string>& scopes);

/// "Basic ..." (RFC 7617).
std::string basic_authorization(const Credentials& credentials);

/// What was learned about hosts, for all clients of one transfer: authorizations by host, credentials and scope, and
/// who speaks plain HTTP only. Thread-safe; one mutex, nothing is called while it is held.
class HostMemory {
 public:
  using Clock = std::chrono::steady_clock;

  /// Never one that is about to end. Empty if there is none.
  [[nodiscard]] std::string authorization(const std::string& key) const;
  void remember_authorization(const std::string& key, std::string value,
                              std::chrono::seconds lifetime);
  /// Unless another thread has replaced `value` meanwhile.
  void forget_authorization(const std::string& key, const std::string& value);

  /// Whether the host speaks TLS; nullopt if nobody has asked it yet.
  [[nodiscard]] std::optional<bool> speaks_tls(const std::string& host) const;
  void remember_tls(const std::string& host, bool tls);

 private:
  struct Entry {
    std::string value;
    Clock::time_point until;
  };
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, Entry> authorizations_;
  std::map<std::string, bool> tls_;
};

/// The key of an authorization: host, a fingerprint of the credentials, and scope. By host and not by realm, so that
/// what was given for one registry is never shown to another that names the same realm.
std::string authorization_key(const Endpoint& endpoint, std::string_view scope);

}  // namespace sbx::registry
