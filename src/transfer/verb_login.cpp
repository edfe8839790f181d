// login, logout, logins: what is known about the user. Asking a registry and writing files are separate runs of the program, so that
// whoever reads what the registry says can write nothing.

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "registry/client.hpp"
#include "sys/file.hpp"
#include "transfer/registry_access.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

constexpr std::size_t kMaxPassword = std::size_t{64} << 10U;  // as credentials are read

/// HOST[/NAMESPACE]; the host must be one by the rules of names, or no name would ever lead to it.
Result<std::string> host_of(const std::string& key) {
  const std::string host = key.substr(0, key.find('/'));
  const Result<oci::Reference> any = oci::Reference::parse(key + "/any");
  if (!any || any->domain() != host || any->repository() != key + "/any") {
    return fail(Error::make(ErrorCode::kInvalidArgument, "log in to", key, "it is no registry")
                    .with_hint("a registry is HOST.DOMAIN, HOST:PORT or localhost, without "
                               "'https://'; HOST/NAMESPACE for a part of it"));
  }
  return host;
}

/// Descriptor 0 to its end, as it is: what belongs to a line and not to the password, sbx takes off.
Result<std::string> read_password() {
  std::string text = SBX_TRY(sys::read_fd(STDIN_FILENO, kMaxPassword, "the password"));
  return text.empty()
             ? fail(Error::make(ErrorCode::kInvalidArgument, "read", "the password", "it is empty"))
             : Result<std::string>(std::move(text));
}

Result<Json> keep(const LoginOptions& options, registry::Credentials credentials) {
  const RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  const std::string where = SBX_TRY(
      registry::store_credentials(access.auth_sources(), options.key, std::move(credentials)));
  return Json{{"kept", where}};
}

}  // namespace

Result<Json> login(Words words) {
  const LoginOptions options = SBX_TRY(LoginOptions::parse(words));
  const std::string host = SBX_TRY(host_of(options.key));
  registry::Credentials credentials{.username = options.user};
  if (!options.user.empty()) {
    credentials.password = SBX_TRY(read_password());
  }
  if (options.keep) {
    return keep(options, std::move(credentials));
  }
  RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  registry::Endpoint endpoint = SBX_TRY(access.host(options.key));
  if (!options.user.empty()) {
    endpoint.credentials = std::move(credentials);
  } else if (!endpoint.credentials) {
    return fail(Error::make(ErrorCode::kNotFound, "log in to", options.key,
                            "no credentials are known for it")
                    .with_hint("name a user: sbx login --username NAME " + options.key));
  }
  SBX_TRY(access.confine(-1));
  const std::string user = endpoint.credentials->username;
  auto client =
      SBX_TRY(registry::Client::make(std::move(endpoint), RegistryAccess::client_options()));
  SBX_TRY(client.ping());
  return Json{{"user", user}};
}

Result<Json> logout(Words words) {
  const LogoutOptions options = SBX_TRY(LogoutOptions::parse(words));
  const RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  Json erased = Json::array();
  for (const std::string& key : options.keys) {
    const registry::Erased one = SBX_TRY(registry::erase_credentials(access.auth_sources(), key));
    erased.push_back({{"key", key}, {"found", one.found}, {"left", one.left}});
  }
  return Json{{"erased", std::move(erased)}};
}

Result<Json> logins(Words words) {
  const LoginsOptions options = SBX_TRY(LoginsOptions::parse(words));
  const RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  Json out = Json::array();
  for (const registry::Login& login : SBX_TRY(registry::list_logins(access.auth_sources()))) {
    out.push_back({{"key", login.key}, {"user", login.username}, {"source", login.source}});
  }
  return Json{{"logins", std::move(out)}};
}

}  // namespace sbx::transfer
