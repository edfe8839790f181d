#include <sbx/registry.hpp>

#include "api/failure.hpp"
#include "api/image_json.hpp"
#include "runtime/registries.hpp"
#include "runtime/settings.hpp"
#include "sys/prompt.hpp"

namespace sbx {
namespace {

Result<Pulled> pull_one(const PullOptions& options) {
  const std::string root = SBX_TRY(runtime::data_root_of(options.root));
  const runtime::TransferPulled pulled = SBX_TRY(runtime::pull_image(
      {root, options.name, options.platform, options.registry, options.progress}));
  api::tell_of_image(root, "pull", pulled.reference, api::short_name(pulled.reference));
  return Pulled{pulled.id, pulled.reference, pulled.already};
}

Result<Pushed> push_one(const PushOptions& options) {
  const std::string root = SBX_TRY(runtime::data_root_of(options.root));
  Pushed pushed =
      SBX_TRY(runtime::push_image(options, root, SBX_TRY(runtime::load_settings()).image_stores));
  api::tell_of_image(root, "push", options.image, options.image);
  return pushed;
}

Result<std::vector<LoggedOut>> log_out(std::vector<std::string> registries,
                                       const RegistryOptions& options) {
  if (registries.empty()) {
    for (const Login& login : SBX_TRY(runtime::list_logins(options))) {
      registries.push_back(login.registry);
    }
  }
  return registries.empty() ? Result<std::vector<LoggedOut>>(std::vector<LoggedOut>())
                            : runtime::log_out(registries, options);
}

std::string text_of(const Json& answer, const char* key) {
  const auto it = answer.find(key);
  return it != answer.end() && it->is_string() ? it->get<std::string>() : std::string();
}

Result<RemoteImage> describe(const RemoteOptions& options) {
  const Json answer = SBX_TRY(runtime::describe_remote(options));
  RemoteImage out;
  out.manifest = text_of(answer, "raw");
  out.config = text_of(answer, "config_text");
  image::StoredImage image;
  image.manifest = SBX_TRY(oci::Digest::parse(text_of(answer, "manifest")));
  image.config_digest = SBX_TRY(oci::Digest::parse(text_of(answer, "config")));
  image.config = SBX_TRY(oci::ImageConfig::parse(out.config, image.config_digest.str()));
  image.names.push_back(text_of(answer, "reference"));
  image.sources.emplace(image.names.front(), image.manifest);
  const Json* const found = SBX_TRY(find_array(answer, "layers"));
  const Json layers = found == nullptr ? Json::array() : *found;
  for (const Json& layer : layers) {
    image.size += static_cast<std::uint64_t>(SBX_TRY(find_integer(layer, "size")).value_or(0));
  }
  Json json = api::image_to_json(image);
  for (const char* const ours : {"StoreManifest", "ChainId", "ReadOnly"}) {
    json.erase(ours);
  }
  json["Registry"] = {{"Host", answer.value("registry", Json())},
                      {"Digest", answer.value("raw_digest", Json())},
                      {"MediaType", answer.value("raw_type", Json())},
                      {"Platforms", answer.value("platforms", Json())},
                      {"ManifestMediaType", answer.value("manifest_type", Json())},
                      {"Layers", layers},
                      {"Tags", answer.value("tags", Json())}};
  out.json = dump_json(json, 4);
  return out;
}

}  // namespace

Outcome<Pulled> pull(const PullOptions& options) { return api::to_outcome(pull_one(options)); }

Outcome<Pushed> push(const PushOptions& options) { return api::to_outcome(push_one(options)); }

Outcome<std::string> ask_user(const std::string& question, bool secret) {
  return api::to_outcome(
      sys::ask_terminal(question, secret ? sys::Echo::kHidden : sys::Echo::kShown));
}

Outcome<LoggedIn> login(const LoginOptions& options) {
  return api::to_outcome(runtime::log_in(options));
}

Outcome<std::vector<LoggedOut>> logout(const std::vector<std::string>& registries,
                                       const RegistryOptions& options) {
  return api::to_outcome(log_out(registries, options));
}

Outcome<std::vector<Login>> logins(const RegistryOptions& options) {
  return api::to_outcome(runtime::list_logins(options));
}

Outcome<SearchResults> search(const SearchOptions& options) {
  return api::to_outcome(runtime::search_registries(options));
}

Outcome<TagList> tags(const SearchOptions& options) {
  return api::to_outcome(runtime::list_tags(options));
}

Outcome<RemoteImage> inspect_remote(const RemoteOptions& options) {
  return api::to_outcome(describe(options));
}

}  // namespace sbx
