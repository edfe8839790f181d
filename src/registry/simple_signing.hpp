#pragma once

// containers-signature(5), "simple signing": what a signature says, and whether that is what was asked for. Only for payloads
// whose signature was verified.

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "oci/digest.hpp"
#include "oci/reference.hpp"

namespace sbx::registry {

/// "critical": which manifest, and what its signer calls it.
struct SignedClaim {
  std::string identity;  // docker-reference, as it stands there
  oci::Digest manifest;

  /// Strict: exactly the members of the format, as it asks for; "optional" may hold anything. kCorrupt; kLimit beyond 64 KiB.
  static Result<SignedClaim> parse(std::string_view payload);
};

/// "signedIdentity" of policy.json: which claims are accepted for an image.
class IdentityRule {
 public:
  /// The default: matchRepoDigestOrExact.
  IdentityRule() = default;
  /// kCorrupt if it is none, or has a member that is not of its type.
  static Result<IdentityRule> parse(const Json& object);

  /// `image` as the user named it (not a mirror's name); where it has a digest, its tag does not count, as in podman.
  [[nodiscard]] bool accepts(const oci::Reference& image, std::string_view claimed) const;

 private:
  enum class Kind {
    kMatchExact,
    kMatchRepoDigestOrExact,
    kMatchRepository,
    kExactReference,
    kExactRepository,
    kRemapIdentity
  };
  Kind kind_ = Kind::kMatchRepoDigestOrExact;
  std::string wanted_;  // dockerReference or dockerRepository; or the prefix to be replaced
  std::string signed_prefix_;
};

}  // namespace sbx::registry
