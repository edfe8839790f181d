#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::registry {

/// An http or https address, taken apart by the same parser that will connect to it (libcurl's), so that what is
/// checked is what is done. No user information, no fragment; at most 8 KiB.
struct Url {
  bool tls = true;
  std::string host;    // lower case; an IPv6 address in brackets
  int port = 443;      // 1..65535
  std::string target;  // path and query, begins with "/"; a signed query is a secret

  /// kInvalidArgument says what is wrong, without repeating a query or credentials.
  static Result<Url> parse(std::string_view text);

  /// What a Location or Link header of a response from here means (RFC 3986 5.2).
  [[nodiscard]] Result<Url> resolve(std::string_view relative) const;

  [[nodiscard]] std::string str() const;
  /// Without the query: for messages and logs.
  [[nodiscard]] std::string shown() const;
  /// "https://host:port".
  [[nodiscard]] std::string origin() const;
  /// Same scheme, host and port: the border that credentials do not cross.
  [[nodiscard]] bool same_origin(const Url& other) const;

  /// The same with "name=value" at the end of the query, the value percent-encoded.
  [[nodiscard]] Url with_query(std::string_view name, std::string_view value) const;
};

/// All but unreserved characters (RFC 3986 2.3) as %XX.
std::string percent_encode(std::string_view text);

}  // namespace sbx::registry
