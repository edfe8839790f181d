#pragma once

// containers-policy.json(5): whether an image may be used.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "oci/digest.hpp"
#include "oci/reference.hpp"
#include "registry/environment.hpp"
#include "registry/lookaside.hpp"
#include "registry/simple_signing.hpp"

namespace sbx::registry {

/// Fetches an http or https URL, 1 MiB at most; nullopt if there is nothing (404).
using SignatureFetcher = std::function<Result<std::optional<std::string>>(const std::string& url)>;

/// One requirement of policy.json.
struct PolicyRequirement {
  enum class Kind {
    kAcceptAnything,  // insecureAcceptAnything
    kReject,
    kSignedBy,
    kUnknown  // sigstoreSigned, and what comes later: refuses the image, as it cannot be checked
  };
  Kind kind = Kind::kUnknown;
  std::string type;                    // as it stands there
  std::vector<std::string> key_files;  // keyPath, keyPaths
  std::string key_data;                // keyData, decoded
  IdentityRule identity;
};

class Policy {
 public:
  /// $XDG_CONFIG_HOME/containers/policy.json, else /etc/containers/policy.json, and registries.d. Without a file everything is
  /// accepted, as by docker; podman would accept nothing.
  static Result<Policy> load(const Environment& env);

  /// Strict, as the man page asks: a member that nobody knows, or that stands there twice, refuses the file. kCorrupt.
  static Result<Policy> parse(std::string_view text, const std::string& path);

  /// Whether the image of this name (as the user gave it, not a mirror's) with this manifest may be used: all requirements of
  /// the most specific scope must be met. `manifest` is that of the platform, not an index. kDenied says which was not and why.
  /// Starts gpg if needs_gpg() says so.
  [[nodiscard]] Result<void> check(const oci::Reference& reference, const oci::Digest& manifest,
                                   const SignatureFetcher& fetch) const;

  /// Whether check() would fetch signatures and start gpg, so that a caller can prepare before it confines itself.
  [[nodiscard]] bool needs_gpg(const oci::Reference& reference) const;

 private:
  using Requirements = std::vector<PolicyRequirement>;
  struct Found {
    const Requirements& requirements;
    std::string scope;  // for messages
  };
  [[nodiscard]] Found find(const oci::Reference& reference) const;
  [[nodiscard]] Result<std::vector<std::string>> signatures(const oci::Reference& reference,
                                                            const oci::Digest& manifest,
                                                            const SignatureFetcher& fetch) const;
  [[nodiscard]] Result<void> check_signed(const PolicyRequirement& requirement,
                                          const oci::Reference& reference,
                                          const oci::Digest& manifest,
                                          const std::vector<std::string>& signatures) const;

  std::string path_;  // empty: there is no file
  std::string temporary_dir_ = "/tmp";
  Requirements default_;
  std::map<std::string, Requirements> docker_;  // by scope
  Lookaside lookaside_;
};

}  // namespace sbx::registry
