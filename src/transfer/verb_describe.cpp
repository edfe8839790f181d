#include "image/remote_image.hpp"
#include "transfer/registry_access.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

/// Tags are an extra: a registry that does not list them has none to tell.
constexpr std::size_t kMaxTags = 1000;

Json layers_of(const image::RemoteImage& remote) {
  Json out = Json::array();
  for (const image::SourceImage::Layer& layer : remote.image.layers) {
    out.push_back(
        {{"mediaType", layer.media_type}, {"digest", layer.digest->str()}, {"size", *layer.size}});
  }
  return out;
}

Result<Json> describe_image(registry::Client& client, const oci::Reference& reference,
                            const oci::Platform& platform) {
  const image::RemoteImage remote =
      SBX_TRY(image::find_remote_image(client, reference, platform, {}));
  const Result<registry::Tags> tags = client.tags(kMaxTags);
  return Json{{"reference", reference.str()},
              {"registry", client.endpoint().host},
              {"raw", remote.asked.bytes},
              {"raw_digest", remote.asked.digest.str()},
              {"raw_type", remote.asked.media_type},
              {"manifest", remote.image.manifest_digest->str()},
              {"manifest_type", remote.manifest_type},
              {"platforms", remote.platforms},
              {"layers", layers_of(remote)},
              {"config", remote.image.config_digest.str()},
              {"config_text", remote.image.config_text},
              {"tags", tags ? tags->names : std::vector<std::string>()}};
}

}  // namespace

Result<Json> describe_remote(Words words) {
  const DescribeOptions options = SBX_TRY(DescribeOptions::parse(words));
  const oci::Platform platform = SBX_TRY(platform_or_host(options.platform));
  RegistryAccess access = SBX_TRY(RegistryAccess::load(options.registry));
  const auto places = SBX_TRY(access.places(options.name));
  SBX_TRY(access.confine(-1));
  return ask_places(places, [&](registry::Client& client, const oci::Reference& reference) {
    return describe_image(client, reference, platform);
  });
}

}  // namespace sbx::transfer
