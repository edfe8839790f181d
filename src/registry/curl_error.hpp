#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/http.hpp"

namespace sbx::registry {

/// What a CURLcode, and curl's own words about it, mean for whoever may try again. An int, so that no header of curl's
/// is needed here. OpenSSL says "wrong version number" when plain HTTP answers to its greeting.
Failure classify_curl_error(int code, std::string_view words);

/// A CURLcode, and curl's own words about it, as an Error with a hint. `subject` is the request.
Error describe_curl_error(int code, std::string_view words, std::string_view subject);

/// The file with the certificate authorities: $SSL_CERT_FILE, else the distribution's. Empty: curl's own default.
std::string authority_bundle();

}  // namespace sbx::registry
