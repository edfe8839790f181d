#include "image/layer_forms.hpp"

#include "base/json.hpp"
#include "oci/reference.hpp"

namespace sbx::image {
namespace {

/// A manifest says itself what it is (docker's always, OCI's usually); its digest vouches for it.
oci::MediaType own_type(const std::string& text) {
  const Result<Json> document = parse_json(text, "manifest");
  if (!document) {
    return oci::MediaType::kOther;
  }
  const Result<std::optional<std::string>> told = find_string(*document, "mediaType");
  return told && *told ? oci::media_type(**told) : oci::MediaType::kOciManifest;
}

void add_forms(LayerForms& forms, const StoredImage& image, const oci::Manifest& manifest,
               const std::string& name) {
  const Result<oci::Reference> reference = oci::Reference::parse(name);
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    if (const auto it = forms.find(image.config.diff_ids[i]); it != forms.end()) {
      it->second.push_back({manifest.layers[i], reference ? reference->domain() : "",
                            reference ? reference->path() : ""});
    }
  }
}

}  // namespace

std::optional<CameManifest> came_manifest(const store::Store& store, const StoredImage& image,
                                          const oci::Digest& source) {
  Result<std::string> text = store.read_blob(source.bytes(), oci::kMaxManifestBytes);
  if (!text) {
    return std::nullopt;
  }
  const oci::MediaType type = own_type(*text);
  Result<oci::Manifest> manifest = oci::Manifest::parse(*text, type, source.str());
  if (!manifest || manifest->layers.size() != image.config.diff_ids.size() ||
      manifest->config.digest != image.config_digest) {
    return std::nullopt;
  }
  return CameManifest{std::move(text).value(), type, std::move(manifest).value()};
}

Result<LayerForms> known_forms(const store::Store& store, const ImageStore& images,
                               const std::vector<oci::DiffId>& layers) {
  LayerForms out;
  for (const oci::DiffId& layer : layers) {
    out[layer] = store::noted_forms(store, layer);
  }
  for (const StoredImage& image : SBX_TRY(images.list())) {
    for (const auto& [name, source] : image.sources) {
      if (const auto came = came_manifest(store, image, source)) {
        add_forms(out, image, came->manifest, name);
      }
    }
  }
  return out;
}

}  // namespace sbx::image
