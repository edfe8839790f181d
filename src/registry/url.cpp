#include "registry/url.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxUrl = 8192;  // what servers take at most; signed addresses have 1–2 KiB

struct Cleanup {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using Handle = std::unique_ptr<CURLU, Cleanup>;

std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) {
    return {};
  }
  std::string out(text);
  curl_free(text);
  return out;
}

/// Neither user information nor a query.
std::string without_secrets(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  const std::size_t at = text.rfind('@');
  return at == std::string_view::npos ? std::string(text) : "..." + std::string(text.substr(at));
}

Unexpected<Error> refuse(std::string_view text, std::string reason) {
  return fail(Error::make(ErrorCode::kInvalidArgument, "use the address", without_secrets(text),
                          std::move(reason)));
}

Result<Url> take_apart(CURLU* handle, std::string_view text) {
  Url url;
  const std::string scheme = part(handle, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return refuse(text, "only http and https are used");
  }
  if (!part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty()) {
    return refuse(text, "it has a user name or password in it");
  }
  url.tls = scheme == "https";
  url.host = part(handle, CURLUPART_HOST);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (url.host.empty()) {
    return refuse(text, "it has no host");
  }
  url.port = std::atoi(part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str());
  if (url.port == 0) {  // libcurl takes a port of several zeros
    return refuse(text, "no port has the number 0");
  }
  url.target = part(handle, CURLUPART_PATH);
  const std::string query = part(handle, CURLUPART_QUERY);
  if (!query.empty()) {
    url.target += "?" + query;
  }
  return url;
}

Result<Url> parse_into(CURLU* handle, std::string_view text) {
  if (text.size() > kMaxUrl) {
    return refuse(text.substr(0, 200), "it is longer than 8 KiB");
  }
  // libcurl refuses control bytes, but takes a space in some places.
  const auto bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), bad)) {
    return refuse(text, "it has blanks or control characters in it");
  }
  // "..", as a redirect may have, is taken out of the path here and not by the server.
  const CURLUcode code = curl_url_set(handle, CURLUPART_URL, std::string(text).c_str(), 0);
  if (code != CURLUE_OK) {
    return refuse(text, curl_url_strerror(code));
  }
  return take_apart(handle, text);
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const Handle handle(curl_url());
  if (text.find("://") == std::string_view::npos) {
    return refuse(text, "it does not begin with http:// or https://");
  }
  return parse_into(handle.get(), text);
}

Result<Url> Url::resolve(std::string_view relative) const {
  const Handle handle(curl_url());
  (void)SBX_TRY(parse_into(handle.get(), str()));
  return parse_into(handle.get(), relative);
}

std::string Url::origin() const {
  return fmt::format("{}://{}:{}", tls ? "https" : "http", host, port);
}

std::string Url::str() const {
  const bool usual = port == (tls ? 443 : 80);
  return (usual ? fmt::format("{}://{}", tls ? "https" : "http", host) : origin()) + target;
}

std::string Url::shown() const {
  const std::string all = str();
  return printable(all.substr(0, all.find('?')));
}

bool Url::same_origin(const Url& other) const {
  return tls == other.tls && host == other.host && port == other.port;
}

Url Url::with_query(std::string_view name, std::string_view value) const {
  Url url = *this;
  url.target += url.target.find('?') == std::string::npos ? '?' : '&';
  url.target += fmt::format("{}={}", name, percent_encode(value));
  return url;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace sbx::registry
