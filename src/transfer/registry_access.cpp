#include "transfer/registry_access.hpp"

#include "base/log.hpp"
#include "registry/certificates.hpp"
#include "registry/http.hpp"
#include "sys/xdg.hpp"
#include "transfer/confine.hpp"

namespace sbx::transfer {

Result<RegistryAccess> RegistryAccess::load(const RegistryChoice& choice) {
  auto env = registry::Environment::of_process(sys::invoker());
  auto conf = SBX_TRY(registry::RegistriesConf::load(env));
  return RegistryAccess(choice, std::move(env), std::move(conf));
}

Result<void> RegistryAccess::complete(registry::Endpoint& endpoint) {
  if (choice_.verify) {
    endpoint.insecure = !*choice_.verify;
  }
  endpoint.credentials =
      SBX_TRY(registry::find_credentials(auth_sources(), endpoint.host, endpoint.repository));
  endpoint.tls = SBX_TRY(registry::find_tls_files(env_, endpoint.host));
  tls_files_.insert(tls_files_.end(), endpoint.tls.ca_files.begin(), endpoint.tls.ca_files.end());
  tls_files_.push_back(endpoint.tls.client_certificate);
  tls_files_.push_back(endpoint.tls.client_key);
  return {};
}

Result<std::vector<registry::Endpoint>> RegistryAccess::endpoints(const oci::Reference& reference,
                                                                  For use) {
  auto found = SBX_TRY(conf_.endpoints(reference, use == For::kPush));
  for (registry::Endpoint& endpoint : found) {
    SBX_TRY(complete(endpoint));
  }
  return found;
}

Result<std::vector<RegistryAccess::Place>> RegistryAccess::places(std::string_view typed) {
  std::vector<Place> out;
  for (const oci::Reference& reference : SBX_TRY(conf_.resolve(typed))) {
    for (registry::Endpoint& endpoint : SBX_TRY(endpoints(reference, For::kPull))) {
      out.push_back({reference, std::move(endpoint)});
    }
  }
  return out;
}

Result<registry::Endpoint> RegistryAccess::host(std::string_view key) {
  // What registries.conf says of a host, it says of a name in it.
  const oci::Reference any = SBX_TRY(oci::Reference::parse(std::string(key) + "/any"));
  registry::Endpoint endpoint = SBX_TRY(endpoints(any, For::kPush)).front();
  endpoint.repository.clear();
  return endpoint;
}

registry::ClientOptions RegistryAccess::client_options() {
  registry::ClientOptions options;
  options.log = [](std::string_view line) { log::debug("{}", line); };
  options.memory = std::make_shared<registry::HostMemory>();
  return options;
}

Result<void> RegistryAccess::confine(int store_dir, const std::vector<std::string>& more) const {
  registry::prepare_http();
  std::vector<std::string> files = registry::files_needed();
  files.insert(files.end(), tls_files_.begin(), tls_files_.end());
  files.insert(files.end(), more.begin(), more.end());
  return confine_with_network(std::span(&store_dir, store_dir < 0 ? 0 : 1), files);
}

Result<Json> ask_places(
    const std::vector<RegistryAccess::Place>& places,
    const std::function<Result<Json>(registry::Client&, const oci::Reference&)>& ask) {
  std::optional<Error> first;
  for (const RegistryAccess::Place& place : places) {
    auto client = SBX_TRY(registry::Client::make(place.endpoint, RegistryAccess::client_options()));
    Result<Json> told = ask(client, place.reference);
    if (told) {
      return told;
    }
    first = first ? std::move(first) : std::optional(std::move(told).error());
  }
  return fail(std::move(*first));
}

}  // namespace sbx::transfer
