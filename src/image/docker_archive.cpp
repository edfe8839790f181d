// Finding an image in what `docker save` (and podman, skopeo, buildah) writes.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/sha256.hpp"
#include "image/join.hpp"
#include "image/source_image.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"

namespace sbx::image {
namespace {

struct ArchivedImage {
  std::string config;
  std::vector<std::string> tags;
  std::vector<std::string> layers;
};

Error bad_manifest(std::string reason) {
  return Error::make(ErrorCode::kCorrupt, "read docker archive", "manifest.json",
                     std::move(reason));
}

Result<std::vector<ArchivedImage>> parse_manifest(std::string_view text) {
  const Json document = SBX_TRY(parse_json(text, "manifest.json"));
  if (!document.is_array() || document.empty()) {
    return fail(bad_manifest("it lists no images"));
  }
  std::vector<ArchivedImage> out;
  for (const Json& item : document) {
    ArchivedImage image{SBX_TRY(find_string(item, "Config")).value_or(""),
                        SBX_TRY(find_strings(item, "RepoTags")),
                        SBX_TRY(find_strings(item, "Layers"))};
    if (image.config.empty() || image.layers.empty() || image.layers.size() > oci::kMaxLayers) {
      return fail(bad_manifest("an image without configuration or with a wrong number of layers"));
    }
    out.push_back(std::move(image));
  }
  return out;
}

/// "busybox" and "docker.io/library/busybox:latest" are one name.
bool has_tag(const ArchivedImage& image, const std::string& ref) {
  const Result<oci::Reference> wanted = oci::Reference::parse(ref);
  return std::any_of(image.tags.begin(), image.tags.end(), [&](const std::string& tag) {
    const Result<oci::Reference> reference = oci::Reference::parse(tag);
    return tag == ref || (wanted && reference && reference->tagged() == wanted->tagged());
  });
}

Result<ArchivedImage> choose(const std::vector<ArchivedImage>& images, const std::string& ref) {
  if (images.size() == 1 && ref.empty()) {
    return images.front();
  }
  std::vector<std::string> tags;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (ref == fmt::format("@{}", i)) {  // as skopeo and podman number them
      return images[i];
    }
  }
  for (const ArchivedImage& image : images) {
    if (!ref.empty() && has_tag(image, ref)) {
      return image;
    }
    tags.insert(tags.end(), image.tags.begin(), image.tags.end());
  }
  return fail(Error::make(ErrorCode::kNotFound, "find image in the archive", ref,
                          ref.empty() ? "it has several images; add ':' and the name of one"
                                      : "it is not there")
                  .with_hint(printable(fmt::format("its images are: {}", join(tags, ", ")), 400)));
}

/// docker names the configuration by its digest: "<hex>.json" or "blobs/sha256/<hex>". Then it must be true.
Result<void> check_config_name(std::string_view path, const oci::Digest& got) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  const std::optional<oci::Digest> stated = oci::Digest::from_hex(name);
  if (stated && *stated != got) {
    return fail(
        Error::make(ErrorCode::kCorrupt, "verify", path,
                    fmt::format("its digest is {}: it was damaged or tampered with", got.str())));
  }
  return {};
}

}  // namespace

Result<std::vector<ListedImage>> list_docker_archive(SourceFiles& files) {
  const std::string text = SBX_TRY(
      files.read("manifest.json", oci::kMaxManifestBytes).context("reading a docker archive"));
  const std::size_t count = SBX_TRY(parse_manifest(text)).size();
  std::vector<ListedImage> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({fmt::format("@{}", i), {}});
  }
  return out;
}

Result<SourceImage> find_in_docker_archive(SourceFiles& files, const SourceQuery& query) {
  const std::string text = SBX_TRY(
      files.read("manifest.json", oci::kMaxManifestBytes).context("reading a docker archive"));
  const ArchivedImage chosen = SBX_TRY(choose(SBX_TRY(parse_manifest(text)), query.ref));
  SourceImage image;
  std::string config = SBX_TRY(files.read(chosen.config, kMaxConfigBytes));
  Sha256 hash;
  hash.update(std::as_bytes(std::span(config.data(), config.size())));
  image.config_digest = oci::Digest(hash.finish());
  SBX_TRY(check_config_name(chosen.config, image.config_digest));
  for (const std::string& path : chosen.layers) {
    image.layers.push_back({path, std::nullopt, std::nullopt});
  }
  for (const std::string& tag : chosen.tags) {
    const Result<oci::Reference> reference = oci::Reference::parse(tag);
    if (reference && !reference->digest()) {
      image.names.push_back(reference->tagged());
    }
  }
  SBX_TRY(take_config(image, std::move(config), query.platform));
  return image;
}

}  // namespace sbx::image
