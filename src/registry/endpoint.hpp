#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sbx::registry {

/// What a registry may be told to prove who asks. Never printed, logged or handed to another host.
struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // not empty: an OAuth2 refresh token, used instead of the password
};

/// Paths, from certs.d; besides the system's certificate authorities.
struct TlsFiles {
  std::vector<std::string> ca_files;  // PEM
  std::string client_certificate;     // PEM; empty: none
  std::string client_key;             // PEM; empty: in the certificate's file
};

/// One place a repository may be fetched from: the registry itself, or a mirror of it.
struct Endpoint {
  std::string host;        // "registry-1.docker.io", "localhost:5000"
  std::string repository;  // "library/busybox"
  bool insecure = false;   // TLS is not verified, and plain HTTP is tried if TLS does not answer
  bool mirror = false;
  std::optional<Credentials> credentials;
  TlsFiles tls;
};

/// The host that serves a reference's domain: docker.io's is registry-1.docker.io, all others serve themselves.
std::string registry_host(std::string_view domain);

/// The reverse, for messages and `sbx login`: what people call this host.
std::string registry_name(std::string_view host);

/// The key of auth.json and of credential helpers for a domain: docker.io's is "https://index.docker.io/v1/".
std::string credential_key(std::string_view domain);

}  // namespace sbx::registry
