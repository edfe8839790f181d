#include "registry/curl_error.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include "sys/file.hpp"
#include "sys/xdg.hpp"

namespace sbx::registry {
namespace {

// Debian and Alpine; Fedora; openSUSE.
constexpr const char* kBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"};

// Read by getaddrinfo(3) and by what /etc/nsswitch.conf may load, and by OpenSSL.
constexpr const char* kFilesNeeded[] = {"/etc/resolv.conf",
                                        "/etc/hosts",
                                        "/etc/host.conf",
                                        "/etc/nsswitch.conf",
                                        "/etc/gai.conf",
                                        "/etc/services",
                                        "/etc/protocols",
                                        "/run/systemd/resolve",
                                        "/run/nscd",
                                        "/var/run/nscd",
                                        "/etc/ssl",
                                        "/etc/pki/tls",
                                        "/etc/pki/ca-trust",
                                        "/etc/ca-certificates",
                                        "/usr/lib/ssl",
                                        "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates",
                                        "/etc/ld.so.cache",
                                        "/etc/localtime",
                                        "/lib",
                                        "/lib64",
                                        "/usr/lib",
                                        "/usr/lib64",
                                        "/dev/urandom",
                                        "/proc/sys/crypto",
                                        "/etc/crypto-policies",
                                        "/sys/devices/system/cpu"};

std::string hint_for(Failure failure, int code) {
  switch (failure) {
    case Failure::kCertificate:
      return "put the registry's certificate authority into certs.d "
             "(/etc/containers/certs.d/HOST:PORT/ca.crt), or use "
             "--tls-verify=false if you trust the network";
    case Failure::kNoTls:
      return "if the registry speaks plain HTTP: --tls-verify=false, or insecure = true in "
             "registries.conf";
    case Failure::kNoConnection:
      return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY
                 ? "is the name right, and does this machine resolve names (/etc/resolv.conf)? A "
                   "proxy is taken from "
                   "https_proxy"
                 : "is the registry running, and is a proxy needed (https_proxy, no_proxy)?";
    case Failure::kNone:
    case Failure::kBroken:
    case Failure::kFinal:
      return {};
  }
  return {};
}

}  // namespace

Failure classify_curl_error(int code, std::string_view words) {
  if (words.find("CONNECT tunnel failed") != std::string_view::npos) {
    return Failure::kNoConnection;  // a proxy that refuses; curl calls it CURLE_RECV_ERROR
  }
  switch (code) {
    case CURLE_OK:
      return Failure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:  // the only time-out given to curl is the one for connecting
      return Failure::kNoConnection;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return Failure::kCertificate;
    case CURLE_SSL_CONNECT_ERROR:
      return words.find("wrong version number") != std::string_view::npos ? Failure::kNoTls
                                                                          : Failure::kBroken;
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_FAIL_REWIND:
      return Failure::kBroken;
    default:
      return Failure::kFinal;
  }
}

Error describe_curl_error(int code, std::string_view words, std::string_view subject) {
  const std::string_view said =
      words.empty() ? std::string_view(curl_easy_strerror(static_cast<CURLcode>(code))) : words;
  const Failure failure = classify_curl_error(code, words);
  Error error = Error::make(
      failure == Failure::kCertificate ? ErrorCode::kDenied : ErrorCode::kSystem,
      failure == Failure::kBroken ? "finish" : "reach the registry for", subject, printable(said));
  return std::move(error).with_hint(hint_for(failure, code));
}

std::string authority_bundle() {
  if (std::string given = sys::environment("SSL_CERT_FILE"); !given.empty()) {
    return given;
  }
  for (const char* path : kBundles) {
    if (sys::exists_at(AT_FDCWD, path)) {
      return path;
    }
  }
  return {};
}

void prepare_http() {
  // Static, because libcurl has process-wide state that cannot be told to belong to somebody; never undone.
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  SBX_ASSERT(code == CURLE_OK);
}

std::vector<std::string> files_needed() {
  std::vector<std::string> found;
  const auto add = [&](const std::string& path) {
    if (!path.empty() && sys::exists_at(AT_FDCWD, path)) {
      found.push_back(path);
    }
  };
  for (const char* path : kFilesNeeded) {
    add(path);
  }
  add(sys::environment("SSL_CERT_FILE"));
  add(sys::environment("SSL_CERT_DIR"));
  add(sys::environment("OPENSSL_CONF"));
  return found;
}

}  // namespace sbx::registry
