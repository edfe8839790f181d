#include "image/puller.hpp"
#include "registry/policy_guard.hpp"
#include "registry/signature_store.hpp"
#include "store/store.hpp"
#include "transfer/progress.hpp"
#include "transfer/registry_access.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

Result<std::vector<image::PullCandidate>> find_candidates(RegistryAccess& access,
                                                          const std::string& name) {
  std::vector<image::PullCandidate> out;
  for (oci::Reference& reference : SBX_TRY(access.conf().resolve(name))) {
    auto endpoints = SBX_TRY(access.endpoints(reference, RegistryAccess::For::kPull));
    out.push_back({std::move(reference), std::move(endpoints)});
  }
  return out;
}

Result<registry::PolicyGuard> start_guard(const RegistryAccess& access,
                                          const std::vector<image::PullCandidate>& candidates) {
  std::vector<oci::Reference> references;
  for (const image::PullCandidate& candidate : candidates) {
    references.push_back(candidate.reference);
  }
  return registry::PolicyGuard::start(SBX_TRY(registry::Policy::load(access.environment())),
                                      references);
}

}  // namespace

Result<Json> pull(Words words) {
  const PullOptions options = SBX_TRY(PullOptions::parse(words));
  image::PullRequest request;
  request.root = options.root;
  request.platform = SBX_TRY(platform_or_host(options.platform));
  ProgressPrinter printer;
  request.progress = printer.callback(options.progress);
  request.client = RegistryAccess::client_options();
  RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  request.candidates = SBX_TRY(find_candidates(access, options.name));
  const registry::PolicyGuard guard = SBX_TRY(start_guard(access, request.candidates));
  request.policy = [&](const oci::Reference& reference, const oci::Digest& manifest) {
    return guard.check(reference, manifest, registry::fetch_signatures(request.client));
  };
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(access.confine(store.dir()));
  const image::PulledImage pulled = SBX_TRY(image::pull_image(request));
  Json answer = describe(pulled.image);
  answer["reference"] = pulled.reference;
  answer["registry"] = pulled.registry;
  return answer;
}

}  // namespace sbx::transfer
