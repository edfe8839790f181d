// Finding an image in an OCI image layout.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "image/join.hpp"
#include "image/manifest_choice.hpp"
#include "image/source_image.hpp"
#include "oci/index.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"

namespace sbx::image {
namespace {

std::string blob_path(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

/// A blob with its size and digest compared before anything looks into it.
Result<std::string> read_blob(SourceFiles& files, const oci::Descriptor& descriptor,
                              std::size_t max) {
  std::string text = SBX_TRY(files.read(blob_path(descriptor.digest), max));
  if (text.size() != descriptor.size) {
    return fail(Error::make(
        ErrorCode::kCorrupt, "read blob", descriptor.digest.str(),
        fmt::format("it should have {} bytes and has {}", descriptor.size, text.size())));
  }
  SBX_TRY(check_digest(text, descriptor.digest, descriptor.digest.str()));
  return text;
}

std::vector<std::string> names_of(const oci::Descriptor& entry) {
  std::vector<std::string> out;
  for (const std::string_view key : {oci::kRefNameAnnotation, oci::kContainerdNameAnnotation}) {
    if (const auto it = entry.annotations.find(std::string(key)); it != entry.annotations.end()) {
      out.push_back(it->second);
    }
  }
  return out;
}

Error which_image(std::string_view reason, const oci::Index& index) {
  std::set<std::string> names;
  for (const oci::Descriptor& entry : index.manifests) {
    for (const std::string& name : names_of(entry)) {
      names.insert(printable(name, 100));
    }
  }
  return Error::make(ErrorCode::kNotFound, "find image in the layout", "", std::string(reason))
      .with_hint(names.empty()
                     ? "none of its images has a name"
                     : fmt::format("its images are: {}", join({names.begin(), names.end()}, ", ")));
}

/// The entries that `ref` means; all of them if it is empty and they are one image.
Result<std::vector<oci::Descriptor>> choose_entries(const oci::Index& index,
                                                    const std::string& ref) {
  std::vector<oci::Descriptor> out;
  std::set<std::string> names;
  for (const oci::Descriptor& entry : index.manifests) {
    const std::vector<std::string> entry_names = names_of(entry);
    if (ref.empty() || entry.digest.str() == ref ||
        std::find(entry_names.begin(), entry_names.end(), ref) != entry_names.end()) {
      out.push_back(entry);
      names.insert(entry_names.empty() ? "" : entry_names.front());
    }
  }
  if (out.empty()) {
    return fail(which_image(
        ref.empty() ? "it has no images" : "it has no image '" + printable(ref) + "'", index));
  }
  if (ref.empty() && names.size() > 1) {
    return fail(which_image("it has several images; add ':' and the name of one", index));
  }
  return out;
}

/// Names that can be an image's. umoci and skopeo often write only a tag: then the directory gives the name.
std::vector<std::string> full_names(const oci::Descriptor& entry, const std::string& base_name) {
  std::vector<std::string> out;
  for (const std::string& name : names_of(entry)) {
    const bool tag_only = name.find_first_of(":/") == std::string::npos;
    const Result<oci::Reference> reference =
        oci::Reference::parse(tag_only ? fmt::format("{}:{}", base_name, name) : name);
    if (reference && !reference->digest() && (!tag_only || out.empty())) {
      out.push_back(reference->tagged());
    }
  }
  // containerd writes the full name besides the tag: the full one is meant.
  return out.size() > 1 ? std::vector<std::string>{out.back()} : out;
}

Result<SourceImage> read_image(SourceFiles& files, const oci::Descriptor& chosen,
                               const oci::Descriptor& entry, const SourceQuery& query) {
  SourceImage image;
  const oci::Descriptor config = SBX_TRY(
      take_manifest(image, chosen, SBX_TRY(read_blob(files, chosen, oci::kMaxManifestBytes))));
  for (SourceImage::Layer& layer : image.layers) {
    layer.path = blob_path(*layer.digest);
  }
  image.names = full_names(entry, query.base_name);
  SBX_TRY(take_config(image, SBX_TRY(read_blob(files, config, kMaxConfigBytes)), query.platform));
  return image;
}

}  // namespace

Result<std::vector<ListedImage>> list_oci_layout(SourceFiles& files, const std::string& base_name) {
  const std::string text =
      SBX_TRY(files.read("index.json", oci::kMaxManifestBytes).context("reading an OCI layout"));
  const oci::Index index =
      SBX_TRY(oci::Index::parse(text, oci::MediaType::kOciIndex, "index.json"));
  std::vector<ListedImage> out;
  std::map<std::string, std::size_t> by_ref;
  std::map<oci::Digest, std::size_t> by_digest;
  for (const oci::Descriptor& entry : index.manifests) {
    const std::vector<std::string> found = names_of(entry);
    const std::string ref = found.empty() ? entry.digest.str() : found.front();
    if (by_ref.count(ref) != 0) {
      continue;  // the same name for another platform
    }
    // One image under several names has an entry for each.
    const auto [it, fresh] = by_digest.emplace(entry.digest, out.size());
    if (fresh) {
      out.push_back({ref, {}});
    }
    by_ref.emplace(ref, it->second);
    const std::vector<std::string> names = full_names(entry, base_name);
    out[it->second].names.insert(out[it->second].names.end(), names.begin(), names.end());
  }
  return out;
}

Result<SourceImage> find_in_oci_layout(SourceFiles& files, const SourceQuery& query) {
  const std::string text =
      SBX_TRY(files.read("index.json", oci::kMaxManifestBytes).context("reading an OCI layout"));
  const oci::Index index =
      SBX_TRY(oci::Index::parse(text, oci::MediaType::kOciIndex, "index.json"));
  const std::vector<oci::Descriptor> entries = SBX_TRY(choose_entries(index, query.ref));
  const oci::Descriptor chosen =
      SBX_TRY(choose_manifest(entries, query.platform, [&](const oci::Descriptor& nested) {
        return read_blob(files, nested, oci::kMaxManifestBytes);
      }));
  return read_image(files, chosen, entries.front(), query);
}

}  // namespace sbx::image