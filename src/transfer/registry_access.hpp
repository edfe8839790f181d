#pragma once

// What the verbs that talk to registries read before they confine themselves: the user's configuration, credentials, certificates.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "registry/credentials.hpp"
#include "registry/registries_conf.hpp"
#include "transfer/options.hpp"

namespace sbx::transfer {

class RegistryAccess {
 public:
  /// Reads registries.conf; starts nothing.
  static Result<RegistryAccess> load(const RegistryChoice& choice);

  [[nodiscard]] const registry::Environment& environment() const { return env_; }
  [[nodiscard]] const registry::RegistriesConf& conf() const { return conf_; }

  /// Where the user's credentials are.
  [[nodiscard]] registry::AuthSources auth_sources() const {
    return {env_, choice_.auth_file, conf_.credential_helpers()};
  }

  enum class For { kPull, kPush };
  /// Where a repository is fetched from or sent to, best first, with what each place is told. Runs credential helpers.
  Result<std::vector<registry::Endpoint>> endpoints(const oci::Reference& reference, For use);
  /// A name that a typed one may mean, at one of its places.
  struct Place {
    oci::Reference reference;
    registry::Endpoint endpoint;
  };
  /// Every place to read a typed name from, best first; at least one.
  Result<std::vector<Place>> places(std::string_view typed);
  /// A registry as such, or (HOST/NAMESPACE) a part of it: there is no repository.
  Result<registry::Endpoint> host(std::string_view key);

  /// With the debug log, and one memory for all clients that get a copy.
  [[nodiscard]] static registry::ClientOptions client_options();

  /// Ends the part with configuration: from here on the process reaches the network, what TLS and name resolution read, the store
  /// (-1: none) and, to read, `more`.
  Result<void> confine(int store_dir, const std::vector<std::string>& more = {}) const;

 private:
  RegistryAccess(RegistryChoice choice, registry::Environment env, registry::RegistriesConf conf)
      : choice_(std::move(choice)), env_(std::move(env)), conf_(std::move(conf)) {}
  Result<void> complete(registry::Endpoint& endpoint);

  RegistryChoice choice_;
  registry::Environment env_;
  registry::RegistriesConf conf_;
  std::vector<std::string> tls_files_;  // of all endpoints
};

/// What the first place that has it says; else the error of the first place.
Result<Json> ask_places(
    const std::vector<RegistryAccess::Place>& places,
    const std::function<Result<Json>(registry::Client&, const oci::Reference&)>& ask);

}  // namespace sbx::transfer
