#include "image/source_image.hpp"

#include <fmt/format.h>

#include <set>

#include "base/sha256.hpp"
#include "image/join.hpp"
#include "layer/ingest.hpp"
#include "oci/manifest.hpp"

namespace sbx::image {

Result<void> check_digest(std::string_view text, const oci::Digest& expected,
                          std::string_view what) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
  const oci::Digest got(hash.finish());
  return got == expected ? Result<void>()
                         : fail(layer::wrong_digest(what, expected.str(), got.str()));
}

Result<oci::Descriptor> take_manifest(SourceImage& image, const oci::Descriptor& chosen,
                                      std::string text) {
  const oci::Manifest manifest =
      SBX_TRY(oci::Manifest::parse(text, chosen.type(), chosen.digest.str()));
  image.manifest_digest = chosen.digest;
  image.manifest = std::move(text);
  image.config_digest = manifest.config.digest;
  for (const oci::Descriptor& layer : manifest.layers) {
    image.layers.push_back({{}, layer.digest, layer.size, layer.media_type});
  }
  return manifest.config;
}

Result<void> take_config(SourceImage& image, std::string text, const oci::Platform& wanted) {
  image.config = SBX_TRY(oci::ImageConfig::parse(text, image.config_digest.str()));
  image.config_text = std::move(text);
  const oci::Platform& made_for = image.config.platform;
  if (!made_for.architecture.empty() && oci::platform_rank(wanted, made_for) == 0) {
    return fail(no_such_platform(wanted, {made_for.str()}));
  }
  if (image.config.diff_ids.size() != image.layers.size()) {
    return fail(Error::make(ErrorCode::kCorrupt, "load image", image.config_digest.str(),
                            fmt::format("its configuration lists {} layers, its manifest {}",
                                        image.config.diff_ids.size(), image.layers.size())));
  }
  return {};
}

}  // namespace sbx::image
