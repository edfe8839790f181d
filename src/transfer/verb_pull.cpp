#include "base/log.hpp"
#include "image/puller.hpp"
#include "registry/certificates.hpp"
#include "registry/credentials.hpp"
#include "registry/http.hpp"
#include "registry/policy.hpp"
#include "registry/registries_conf.hpp"
#include "store/store.hpp"
#include "sys/xdg.hpp"
#include "transfer/confine.hpp"
#include "transfer/progress.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

/// What the user's files say of one place: whether it is checked, and what it is told.
Result<void> complete(registry::Endpoint& endpoint, const registry::AuthSources& sources,
                      std::optional<bool> verify) {
  if (verify) {
    endpoint.insecure = !*verify;
  }
  endpoint.credentials =
      SBX_TRY(registry::find_credentials(sources, endpoint.host, endpoint.repository));
  endpoint.tls = SBX_TRY(registry::find_tls_files(sources.env, endpoint.host));
  return {};
}

/// Everything that configuration files, credential helpers and certs.d have to say: afterwards they are not needed.
Result<std::vector<image::PullCandidate>> find_candidates(const PullOptions& options,
                                                          const registry::Environment& env) {
  const auto conf = SBX_TRY(registry::RegistriesConf::load(env));
  const registry::AuthSources sources{env, options.auth_file, conf.credential_helpers()};
  std::vector<image::PullCandidate> out;
  for (oci::Reference& reference : SBX_TRY(conf.resolve(options.name))) {
    std::vector<registry::Endpoint> endpoints = SBX_TRY(conf.endpoints(reference, false));
    for (registry::Endpoint& endpoint : endpoints) {
      SBX_TRY(complete(endpoint, sources, options.verify));
    }
    out.push_back({std::move(reference), std::move(endpoints)});
  }
  return out;
}

/// Signatures are not fetched: an image that would need one is refused.
Result<std::optional<std::string>> no_signatures(const std::string& url) {
  return fail(Error::make(ErrorCode::kUnsupported, "fetch signature", url,
                          "this version of sbx does not fetch signatures")
                  .with_hint("policy.json asks for one (signedBy); see containers-policy.json(5)"));
}

}  // namespace

Result<Json> pull(Words words) {
  const PullOptions options = SBX_TRY(PullOptions::parse(words));
  image::PullRequest request;
  request.root = options.root;
  request.platform = SBX_TRY(platform_or_host(options.platform));
  ProgressPrinter printer;
  request.progress = printer.callback(options.progress);
  request.client.log = [](std::string_view line) { log::debug("{}", line); };
  const auto env = registry::Environment::of_process(sys::invoker());
  request.candidates = SBX_TRY(find_candidates(options, env));
  const auto policy = SBX_TRY(registry::Policy::load(env));
  request.policy = [&](const oci::Reference& reference, const oci::Digest& manifest) {
    return policy.check(reference, manifest, no_signatures);
  };
  registry::prepare_http();
  std::vector<std::string> files = registry::files_needed();
  for (const image::PullCandidate& candidate : request.candidates) {
    for (const registry::Endpoint& endpoint : candidate.endpoints) {
      files.insert(files.end(), endpoint.tls.ca_files.begin(), endpoint.tls.ca_files.end());
      files.push_back(endpoint.tls.client_certificate);
      files.push_back(endpoint.tls.client_key);
    }
  }
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(confine_with_network(store.dir(), files));
  const image::PulledImage pulled = SBX_TRY(image::pull_image(request));
  Json answer = describe(pulled.image);
  answer["reference"] = pulled.reference;
  answer["registry"] = pulled.registry;
  return answer;
}

}  // namespace sbx::transfer
