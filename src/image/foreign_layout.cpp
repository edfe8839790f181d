#include "image/foreign_layout.hpp"

#include <fmt/format.h>

#include "image/manifest_choice.hpp"
#include "image/source_name.hpp"
#include "oci/manifest.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"

namespace sbx::image {
namespace {

std::string annotation(const oci::Descriptor& entry, std::string_view key) {
  const auto it = entry.annotations.find(std::string(key));
  return it == entry.annotations.end() ? std::string() : it->second;
}

/// The full name; empty if it has none that is right.
std::string full_name(const oci::Descriptor& entry, const std::string& folder) {
  std::string name = annotation(entry, oci::kContainerdNameAnnotation);
  if (name.empty()) {
    name = annotation(entry, oci::kRefNameAnnotation);
  }
  if (!name.empty() && name.find_first_of(":/") == std::string::npos) {
    name = fmt::format("{}:{}", folder, name);
  }
  const Result<oci::Reference> reference = oci::Reference::parse(name);
  return reference && !reference->digest() ? reference->tagged() : std::string();
}

}  // namespace

Result<oci::Index> read_foreign_index(const store::Store& store) {
  const oci::Index index = SBX_TRY(store.read_index());
  const std::string folder = repository_of_path(store.path());
  const oci::Platform platform = oci::Platform::host();
  oci::Index out;
  for (const oci::Descriptor& entry : index.manifests) {
    const Result<oci::Descriptor> chosen =
        choose_manifest({entry}, platform, [&](const oci::Descriptor& nested) {
          return store.read_blob(nested.digest.bytes(), oci::kMaxManifestBytes);
        });
    if (!chosen) {
      continue;  // of another platform, or no image
    }
    oci::Descriptor image = *chosen;
    image.annotations = entry.annotations;
    const std::string ref = annotation(entry, oci::kRefNameAnnotation);
    image.annotations[std::string(kLayoutRefAnnotation)] = ref.empty() ? entry.digest.str() : ref;
    image.annotations.erase(std::string(oci::kRefNameAnnotation));
    if (const std::string name = full_name(entry, folder); !name.empty()) {
      image.annotations[std::string(oci::kRefNameAnnotation)] = name;
    }
    out.manifests.push_back(std::move(image));
  }
  return out;
}

}  // namespace sbx::image
