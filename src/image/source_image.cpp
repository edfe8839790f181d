#include "image/source_image.hpp"

#include <fmt/format.h>

#include <set>

#include "base/sha256.hpp"
#include "image/join.hpp"
#include "layer/ingest.hpp"

namespace sbx::image {

Result<void> check_digest(std::string_view text, const oci::Digest& expected,
                          std::string_view what) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
  const oci::Digest got(hash.finish());
  return got == expected ? Result<void>()
                         : fail(layer::wrong_digest(what, expected.str(), got.str()));
}

Error no_such_platform(const oci::Platform& wanted, const std::vector<std::string>& there_are) {
  const std::set<std::string> distinct(there_are.begin(), there_are.end());
  return Error::make(ErrorCode::kUnsupported, "load image", "",
                     fmt::format("it is not made for {}, only for: {}", wanted.str(),
                                 join({distinct.begin(), distinct.end()}, ", ")))
      .with_hint("choose one of them with --platform");
}

Result<void> take_config(SourceImage& image, std::string text, const SourceQuery& query) {
  image.config = SBX_TRY(oci::ImageConfig::parse(text, image.config_digest.str()));
  image.config_text = std::move(text);
  const oci::Platform& made_for = image.config.platform;
  if (!made_for.architecture.empty() && oci::platform_rank(query.platform, made_for) == 0) {
    return fail(no_such_platform(query.platform, {made_for.str()}));
  }
  if (image.config.diff_ids.size() != image.layers.size()) {
    return fail(Error::make(ErrorCode::kCorrupt, "load image", image.config_digest.str(),
                            fmt::format("its configuration lists {} layers, its manifest {}",
                                        image.config.diff_ids.size(), image.layers.size())));
  }
  return {};
}

}  // namespace sbx::image
