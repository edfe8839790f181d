#pragma once

// containers-registries.conf(5), version 2: what a short name stands for, and from where a repository is fetched.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "oci/reference.hpp"
#include "registry/endpoint.hpp"
#include "registry/environment.hpp"

namespace sbx::registry {

enum class ShortNameMode {
  kEnforcing,   // several unqualified-search registries: refuse, as we do not ask
  kPermissive,  // several: try each
  kDisabled     // as kPermissive; podman does not ask either
};

/// When a mirror may be used: "pull-from-mirror".
enum class MirrorUse { kAll, kDigestOnly, kTagOnly };

/// "[[registry.mirror]]".
struct MirrorRule {
  std::string location;
  bool insecure = false;
  MirrorUse use = MirrorUse::kAll;
};

/// "[[registry]]".
struct RegistryRule {
  std::string prefix;
  std::string location;  // empty: names are not rewritten; only if the prefix is "*.example.com"
  bool blocked = false;
  bool insecure = false;
  std::vector<MirrorRule> mirrors;
  std::string origin;  // the file
};

/// What one file says; a field that it does not set is nullopt.
struct RegistriesFile {
  std::vector<RegistryRule> rules;
  std::optional<std::vector<std::string>> search;
  std::optional<std::vector<std::string>> credential_helpers;
  std::optional<ShortNameMode> mode;
  std::map<std::string, std::string> aliases;  // an empty value takes an earlier file's alias away

  /// `path` stands in errors. kUnsupported for version 1 ("[registries.search]"); kCorrupt says what is wrong; keys that
  /// nobody knows are passed over with a debug message, as containers/image does.
  static Result<RegistriesFile> parse(std::string_view text, const std::string& path);
};

class RegistriesConf {
 public:
  /// Reads, if they are there:
  /// - $CONTAINERS_REGISTRIES_CONF alone; if it is not set, the first of registries.conf in $XDG_CONFIG_HOME/containers,
  ///   /etc/containers and /usr/share/containers, and all drop-ins: *.conf of registries.conf.d (and, for root,
  ///   registries.rootful.conf.d, else registries.rootless.conf.d and its subfolder named by the uid) next to each of the
  ///   three, by name; of two of the same name the one nearer to the user counts;
  /// - $CONTAINERS_REGISTRIES_CONF_OVERRIDE;
  /// - the aliases podman recorded, $XDG_CACHE_HOME/containers/short-name-aliases.conf.
  /// Later files win, [[registry]] by [[registry]] of the same prefix, alias by alias.
  static Result<RegistriesConf> load(const Environment& env);

  /// Of files that were parsed already, the later over the earlier.
  static RegistriesConf of(const std::vector<RegistriesFile>& files);

  /// What a typed name may mean, best first; never empty. A name with a domain is itself. A short name is its alias, else one
  /// name per unqualified-search registry, else (when no file says anything) docker.io's. kNotFound if the files say that
  /// there is nowhere to search, and where that stands; kInvalidArgument for what is no name, and for an ambiguous one under
  /// short-name-mode "enforcing".
  [[nodiscard]] Result<std::vector<oci::Reference>> resolve(std::string_view typed) const;

  /// Where to fetch from, in this order: mirrors, then the registry, names rewritten by prefix and location. For a push it is
  /// the registry under its own name: by registries.conf(5) neither mirrors nor rewriting count there. kDenied if blocked.
  /// Credentials and TLS files are the caller's to add.
  [[nodiscard]] Result<std::vector<Endpoint>> endpoints(const oci::Reference& reference,
                                                        bool for_push) const;

  /// Where short names are looked for: docker.io, unless the files say something. May be empty.
  [[nodiscard]] std::vector<std::string> search_registries() const;

  /// In the order in which to ask; "containers-auth.json" stands for the auth files. Never empty.
  [[nodiscard]] const std::vector<std::string>& credential_helpers() const { return helpers_; }
  /// The files that were read, in this order.
  [[nodiscard]] const std::vector<std::string>& sources() const { return sources_; }

 private:
  void apply(RegistriesFile file, const std::string& path);
  Result<void> apply_file(const std::string& path, bool must_exist);
  Result<void> load_usual(const Environment& env);
  [[nodiscard]] const RegistryRule* rule_for(const std::string& name) const;
  [[nodiscard]] Result<std::vector<oci::Reference>> search(std::string_view typed) const;

  std::map<std::string, RegistryRule> rules_;  // by prefix
  std::optional<std::vector<std::string>> search_;
  std::string search_origin_;
  std::map<std::string, std::string> aliases_;
  std::vector<std::string> helpers_;
  ShortNameMode mode_ = ShortNameMode::kPermissive;
  std::vector<std::string> sources_;
};

/// Whether a name lacks a registry: no '/' at all, or nothing like a host before the first.
bool is_short_name(std::string_view name);

}  // namespace sbx::registry
