#pragma once

// Under which digests a registry may have a layer that lies here uncompressed: what the manifests that came with images say.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/image_store.hpp"
#include "oci/manifest.hpp"
#include "store/forms.hpp"

namespace sbx::image {

/// The manifest that came with an image, and its own type.
struct CameManifest {
  std::string text;
  oci::MediaType type = oci::MediaType::kOciManifest;
  oci::Manifest manifest;  // as many layers as the configuration
};
/// nullopt if the image came without one, or it does not fit the configuration.
std::optional<CameManifest> came_manifest(const store::Store& store, const StoredImage& image,
                                          const oci::Digest& source);

using LayerForms = std::map<oci::DiffId, std::vector<store::LayerForm>>;

/// What is known of these layers: from all images of the store, and from what was pushed. What cannot be read is passed over.
Result<LayerForms> known_forms(const store::Store& store, const ImageStore& images,
                               const std::vector<oci::DiffId>& layers);

}  // namespace sbx::image
