#include "registry/simple_signing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace sbx::registry {
namespace {

constexpr std::string_view kType = "atomic container signature";

Unexpected<Error> wrong(std::string reason) {
  return fail(Error::make(ErrorCode::kCorrupt, "read signature", "", std::move(reason)));
}

bool has_exactly(const Json& object, std::initializer_list<const char*> keys) {
  return object.is_object() && object.size() == keys.size() &&
         std::all_of(keys.begin(), keys.end(),
                     [&](const char* key) { return object.contains(key); });
}

/// A name that says its tag or digest itself; nullopt for "busybox", which would become ":latest".
std::optional<oci::Reference> exact(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  const bool tagged = text.find_first_of(":@", slash == std::string_view::npos ? 0 : slash) !=
                      std::string_view::npos;
  Result<oci::Reference> parsed = oci::Reference::parse(text);
  return tagged && parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

/// Without the tag if there is a digest: "name:1@sha256:..." is the image of that digest.
std::string intended(const oci::Reference& image) {
  return image.digest() ? image.repository() + "@" + image.digest()->str() : image.str();
}

bool repo_digest_or_exact(const std::string& wanted, bool by_digest, const oci::Reference& claim) {
  return by_digest ? claim.repository() == wanted.substr(0, wanted.find('@'))
                   : claim.str() == wanted;
}

}  // namespace

Result<SignedClaim> SignedClaim::parse(std::string_view payload) {
  JsonLimits limits;
  limits.bytes = std::size_t{64} << 10U;
  limits.depth = 16;
  const Json document = SBX_TRY(parse_json(payload, "signature", limits));
  if (!has_exactly(document, {"critical", "optional"}) || !document["optional"].is_object()) {
    return wrong("it has not the members critical and optional, and these only");
  }
  const Json& critical = document["critical"];
  if (!has_exactly(critical, {"type", "image", "identity"}) || critical["type"] != kType) {
    return wrong(fmt::format("its critical part is not of the type '{}'", kType));
  }
  const Json& image = critical["image"];
  const Json& identity = critical["identity"];
  if (!has_exactly(image, {"docker-manifest-digest"}) ||
      !has_exactly(identity, {"docker-reference"}) ||
      !image["docker-manifest-digest"].is_string() || !identity["docker-reference"].is_string()) {
    return wrong("it names no image and manifest in the known way");
  }
  SignedClaim out;
  out.identity = identity["docker-reference"].get<std::string>();
  out.manifest = SBX_TRY(oci::Digest::parse(image["docker-manifest-digest"].get<std::string>()));
  return out;
}

Result<IdentityRule> IdentityRule::parse(const Json& object) {
  const auto bad = [](std::string reason) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", "signedIdentity", std::move(reason)));
  };
  if (!object.is_object()) {
    return bad("it is not an object");
  }
  const std::string type = SBX_TRY(find_string(object, "type")).value_or("");
  IdentityRule out;
  std::initializer_list<const char*> members = {"type"};
  if (type == "matchExact") {
    out.kind_ = Kind::kMatchExact;
  } else if (type == "matchRepoDigestOrExact") {
    out.kind_ = Kind::kMatchRepoDigestOrExact;
  } else if (type == "matchRepository") {
    out.kind_ = Kind::kMatchRepository;
  } else if (type == "exactReference") {
    out.kind_ = Kind::kExactReference;
    out.wanted_ = SBX_TRY(find_string(object, "dockerReference")).value_or("");
    if (object.size() != 2 || !exact(out.wanted_)) {
      return bad("exactReference needs a dockerReference with a tag or digest, and nothing else");
    }
    return out;
  } else if (type == "exactRepository") {
    out.kind_ = Kind::kExactRepository;
    out.wanted_ = SBX_TRY(find_string(object, "dockerRepository")).value_or("");
    if (object.size() != 2 || exact(out.wanted_) || !oci::Reference::parse(out.wanted_)) {
      return bad("exactRepository needs a dockerRepository without tag, and nothing else");
    }
    return out;
  } else if (type == "remapIdentity") {
    out.kind_ = Kind::kRemapIdentity;
    out.wanted_ = SBX_TRY(find_string(object, "prefix")).value_or("");
    out.signed_prefix_ = SBX_TRY(find_string(object, "signedPrefix")).value_or("");
    if (object.size() != 3 || out.wanted_.empty() || out.signed_prefix_.empty()) {
      return bad("remapIdentity needs prefix and signedPrefix, and nothing else");
    }
    return out;
  } else {
    return bad(fmt::format("its type '{}' is not known", printable(type, 60)));
  }
  return has_exactly(object, members) ? Result<IdentityRule>(out)
                                      : bad(fmt::format("{} has no other members", type));
}

bool IdentityRule::accepts(const oci::Reference& image, std::string_view claimed) const {
  const std::optional<oci::Reference> claim = exact(claimed);
  const Result<oci::Reference> repository = oci::Reference::parse(claimed);
  const bool by_digest = image.digest().has_value();
  switch (kind_) {
    case Kind::kMatchExact:
      return claim && claim->str() == intended(image);
    case Kind::kMatchRepoDigestOrExact:
      return claim && repo_digest_or_exact(intended(image), by_digest, *claim);
    case Kind::kMatchRepository:
      return repository && repository->repository() == image.repository();
    case Kind::kExactReference:
      return claim && claim->str() == exact(wanted_)->str();
    case Kind::kExactRepository:
      return repository && repository->repository() == oci::Reference::parse(wanted_)->repository();
    case Kind::kRemapIdentity: {
      const std::string name = image.repository();
      const bool inside = name == wanted_ || name.starts_with(wanted_ + "/");
      const std::string remapped =
          inside ? signed_prefix_ + intended(image).substr(wanted_.size()) : intended(image);
      return claim && repo_digest_or_exact(remapped, by_digest, *claim);
    }
  }
  return false;
}

}  // namespace sbx::registry
