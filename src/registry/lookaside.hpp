#pragma once

// containers-registries.d(5): where the signatures of an image stand.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "oci/reference.hpp"
#include "registry/environment.hpp"

namespace sbx::registry {

/// The scopes that policy.json and registries.d look for, the most specific first: the name with its tag or digest, the
/// repository, its namespaces, the host with its port and, if asked for, "*.domain" of the host's parents.
std::vector<std::string> scopes_of(const oci::Reference& reference, bool wildcards);

/// Of one file of registries.d: "docker" by scope, and "default-docker" under the empty one. Only plain mappings are taken, as the
/// man page shows them; other keys are passed over, as containers/image does. kCorrupt, with the line; kLimit beyond
/// 64 KiB.
Result<std::map<std::string, std::string>> parse_lookaside(std::string_view yaml,
                                                           const std::string& path);

class Lookaside {
 public:
  /// *.yaml of registries.d in /usr/share/containers, /etc/containers and $XDG_CONFIG_HOME/containers; of two files of one name
  /// the one nearer to the user counts. kInvalidArgument if two files say something of one scope.
  static Result<Lookaside> load(const Environment& env);

  /// The URL of a manifest's signature number `index`, which counts from 1: http, https or file. If no file says anything,
  /// the folder in which podman keeps signatures on this machine.
  [[nodiscard]] std::string url(const oci::Reference& reference, const oci::Digest& manifest,
                                unsigned index) const;

 private:
  std::map<std::string, std::string> by_scope_;  // default-docker: empty
  std::string fallback_;
};

}  // namespace sbx::registry
