#include "registry/policy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.hpp"
#include "registry/gpg_verify.hpp"
#include "sys/file.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20U;
constexpr std::size_t kMaxSignature = std::size_t{1} << 20U;
/// As containers/image: a server that has more means no good.
constexpr unsigned kMaxSignatures = 128;
constexpr std::string_view kFileUrl = "file://";

Result<std::optional<std::string>> fetch_one(const std::string& url,
                                             const SignatureFetcher& fetch) {
  if (url.starts_with(kFileUrl)) {
    return read_if_there(url.substr(kFileUrl.size()), kMaxSignature);
  }
  std::optional<std::string> found = SBX_TRY(fetch(url));
  if (found && found->size() > kMaxSignature) {
    return fail(Error::make(ErrorCode::kLimit, "fetch signature", url, "it is larger than 1 MiB"));
  }
  return found;
}

}  // namespace

Result<Policy> Policy::load(const Environment& env) {
  std::vector<std::string> paths = {env.system("/etc/containers/policy.json")};
  if (!env.config_home.empty()) {
    paths.insert(paths.begin(), env.config_home + "/containers/policy.json");
  }
  Policy out;
  PolicyRequirement anything;
  anything.kind = PolicyRequirement::Kind::kAcceptAnything;
  out.default_ = {std::move(anything)};
  for (const std::string& path : paths) {
    if (const std::optional<std::string> text = SBX_TRY(read_if_there(path, kMaxFile))) {
      out = SBX_TRY(parse(*text, path));
      break;
    }
  }
  out.temporary_dir_ = env.temporary_dir;
  out.lookaside_ = SBX_TRY(Lookaside::load(env));
  return out;
}

Policy::Found Policy::find(const oci::Reference& reference) const {
  std::vector<std::string> scopes = scopes_of(reference, true);
  scopes.emplace_back();  // the transport's default
  for (const std::string& scope : scopes) {
    const auto found = docker_.find(scope);
    if (found != docker_.end()) {
      return {found->second, scope.empty() ? std::string("docker") : scope};
    }
  }
  return {default_, "default"};
}

bool Policy::needs_gpg(const oci::Reference& reference) const {
  const Requirements& all = find(reference).requirements;
  return std::any_of(all.begin(), all.end(), [](const PolicyRequirement& each) {
    return each.kind == PolicyRequirement::Kind::kSignedBy;
  });
}

Result<std::vector<std::string>> Policy::signatures(const oci::Reference& reference,
                                                    const oci::Digest& manifest,
                                                    const SignatureFetcher& fetch) const {
  std::vector<std::string> out;
  for (unsigned index = 1; index <= kMaxSignatures; ++index) {
    const std::string url = lookaside_.url(reference, manifest, index);
    std::optional<std::string> found = SBX_TRY(fetch_one(url, fetch));
    log::debug("signature {}: {}", url, found ? "there" : "not there");
    if (!found) {
      return out;
    }
    out.push_back(std::move(*found));
  }
  return fail(Error::make(ErrorCode::kLimit, "fetch signatures of", reference.str(),
                          fmt::format("there are more than {}", kMaxSignatures)));
}

Result<void> Policy::check_signed(const PolicyRequirement& requirement,
                                  const oci::Reference& reference, const oci::Digest& manifest,
                                  const std::vector<std::string>& signatures) const {
  std::vector<std::string> keyrings;
  if (!requirement.key_data.empty()) {
    keyrings.push_back(requirement.key_data);
  }
  for (const std::string& path : requirement.key_files) {
    keyrings.push_back(SBX_TRY(sys::read_file_at(AT_FDCWD, path, kMaxFile)));
  }
  const GpgVerifier verifier = SBX_TRY(GpgVerifier::make(keyrings, temporary_dir_));
  std::vector<std::string> reasons;
  for (const std::string& signature : signatures) {
    // The payload is read only when its signature is known to be good.
    const Result<std::string> payload = verifier.verify(signature);
    if (!payload) {
      reasons.push_back(payload.error().reason);
      continue;
    }
    const Result<SignedClaim> claim = SignedClaim::parse(*payload);
    if (!claim) {
      reasons.push_back(claim.error().reason);
    } else if (claim->manifest != manifest) {
      reasons.push_back(fmt::format("it is for manifest {}", claim->manifest.str()));
    } else if (!requirement.identity.accepts(reference, claim->identity)) {
      reasons.push_back(fmt::format("it is for '{}'", printable(claim->identity, 160)));
    } else {
      return {};
    }
  }
  return fail(Error::make(
      ErrorCode::kDenied, "use image", reference.str(),
      reasons.empty()
          ? fmt::format("it has no signature at {}", lookaside_.url(reference, manifest, 1))
          : fmt::format("none of its signatures is accepted: {}", fmt::join(reasons, "; "))));
}

Result<void> Policy::check(const oci::Reference& reference, const oci::Digest& manifest,
                           const SignatureFetcher& fetch) const {
  using Kind = PolicyRequirement::Kind;
  const Found found = find(reference);
  const std::string where = fmt::format("{} ({})", path_, found.scope);
  const auto deny = [&](std::string reason) {
    return fail(Error::make(ErrorCode::kDenied, "use image", reference.str(), std::move(reason)));
  };
  std::optional<std::vector<std::string>> fetched;
  for (const PolicyRequirement& each : found.requirements) {
    switch (each.kind) {
      case Kind::kAcceptAnything:
        break;
      case Kind::kReject:
        return deny(fmt::format("{} rejects it", where));
      case Kind::kUnknown:
        return deny(fmt::format("{} requires {}, which sbx cannot check", where,
                                printable(each.type, 100)));
      case Kind::kSignedBy:
        if (!fetched) {
          fetched = SBX_TRY(signatures(reference, manifest, fetch));
        }
        SBX_TRY(check_signed(each, reference, manifest, *fetched)
                    .context(fmt::format("checking the signature that {} requires", where)));
        break;
    }
  }
  return {};
}

}  // namespace sbx::registry
