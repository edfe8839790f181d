#pragma once

// Where credentials are looked for, and where `login` puts them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "registry/auth_file.hpp"
#include "registry/endpoint.hpp"
#include "registry/environment.hpp"

namespace sbx::registry {

struct AuthSources {
  Environment env;
  std::string auth_file;             // --authfile; it alone counts. Empty: the usual files
  std::vector<std::string> helpers;  // RegistriesConf::credential_helpers(); empty: auth files only
};

/// The first that has something for HOST/REPOSITORY (`host` as a reference's domain or an endpoint's host; `repository` may be
/// empty). Files, in this order: --authfile alone; $REGISTRY_AUTH_FILE alone; auth.json in $XDG_RUNTIME_DIR/containers
/// (without that variable /run/containers/UID) and $XDG_CONFIG_HOME/containers, $DOCKER_CONFIG/config.json or
/// ~/.docker/config.json, ~/.dockercfg. In a file: "credHelpers", "auths", "credsStore".
/// A file that is named and absent is kNotFound; a helper that "credHelpers" names and is absent, too; an absent "credsStore" is
/// passed over, as config.json often comes from another machine.
Result<std::optional<Credentials>> find_credentials(const AuthSources& sources,
                                                    std::string_view host,
                                                    std::string_view repository);

/// Keeps credentials for `key`, HOST[/NAMESPACE], and returns where: a helper or a file. In --authfile, $REGISTRY_AUTH_FILE,
/// $XDG_RUNTIME_DIR/containers/auth.json, or, without that directory, $XDG_CONFIG_HOME/containers/auth.json: made if need be,
/// mode 0600, all else in it kept, under a lock, all or nothing.
Result<std::string> store_credentials(const AuthSources& sources, const std::string& key,
                                      const Credentials& credentials);

/// Forgets them, in the same place; false if there were none. If another file still has some, says which in `left`.
struct Erased {
  bool found = false;
  std::vector<std::string>
      left;  // other files that have credentials for the key; ours to read, not to write
};
Result<Erased> erase_credentials(const AuthSources& sources, const std::string& key);

struct Login {
  std::string key;       // HOST[/NAMESPACE]
  std::string username;  // empty if only a helper knows it
  std::string source;    // the file
};
/// What the files have; the first of each key.
Result<std::vector<Login>> list_logins(const AuthSources& sources);

}  // namespace sbx::registry
