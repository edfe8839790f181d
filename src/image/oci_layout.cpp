// Finding an image in an OCI image layout.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "image/join.hpp"
#include "image/source_image.hpp"
#include "oci/index.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxIndexDocuments = 64;

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

/// Walks indexes of indexes, bounded in depth, in documents and in entries.
class ManifestCollector {
 public:
  explicit ManifestCollector(SourceFiles& files) : files_(files) {}

  Result<void> collect(const std::vector<oci::Descriptor>& entries, std::size_t depth) {
    for (const oci::Descriptor& entry : entries) {
      if (oci::is_manifest(entry.type())) {
        found_.push_back(entry);
      } else if (entry.type() == oci::MediaType::kDockerSchema1) {
        return fail(Error::make(ErrorCode::kUnsupported, "load image", entry.digest.str(),
                                "docker schema 1 manifests are not supported"));
      } else if (oci::is_index(entry.type())) {
        SBX_TRY(collect_index(entry, depth));
      }
      if (found_.size() > oci::kMaxIndexEntries) {
        return fail(Error::make(ErrorCode::kLimit, "load image", "",
                                "its indexes list too many manifests"));
      }
    }
    return {};
  }
  [[nodiscard]] const std::vector<oci::Descriptor>& found() const { return found_; }

 private:
  Result<void> collect_index(const oci::Descriptor& entry, std::size_t depth) {
    if (depth == oci::kMaxIndexDepth || ++documents_ > kMaxIndexDocuments) {
      return fail(Error::make(ErrorCode::kLimit, "load image", entry.digest.str(),
                              "its indexes are nested too deep"));
    }
    const std::string text = SBX_TRY(read_blob(files_, entry, oci::kMaxManifestBytes));
    const oci::Index index = SBX_TRY(oci::Index::parse(text, entry.type(), entry.digest.str()));
    return collect(index.manifests, depth + 1);
  }

  SourceFiles& files_;
  std::vector<oci::Descriptor> found_;
  std::size_t documents_ = 0;
};

/// A manifest whose platform is not stated is the last choice: its configuration has the last word.
int rank_of(const oci::Descriptor& manifest, const oci::Platform& wanted) {
  return manifest.platform ? oci::platform_rank(wanted, *manifest.platform) : 1;
}

Result<oci::Descriptor> choose_manifest(const std::vector<oci::Descriptor>& found,
                                        const oci::Platform& wanted) {
  const oci::Descriptor* best = nullptr;
  std::vector<std::string> platforms;
  for (const oci::Descriptor& manifest : found) {
    const int rank = rank_of(manifest, wanted);
    if (rank > 0 && (best == nullptr || rank > rank_of(*best, wanted))) {
      best = &manifest;
    }
    // Buildkit lists its attestations as images for unknown/unknown.
    if (manifest.platform && manifest.platform->os != "unknown") {
      platforms.push_back(manifest.platform->str());
    }
  }
  if (best == nullptr && found.empty()) {
    return fail(
        Error::make(ErrorCode::kUnsupported, "load image", "", "there is no image manifest in it"));
  }
  return best == nullptr ? Result<oci::Descriptor>(fail(no_such_platform(wanted, platforms)))
                         : Result<oci::Descriptor>(*best);
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

}  // namespace

Result<SourceImage> find_in_oci_layout(SourceFiles& files, const SourceQuery& query) {
  const std::string text =
      SBX_TRY(files.read("index.json", oci::kMaxManifestBytes).context("reading an OCI layout"));
  const oci::Index index =
      SBX_TRY(oci::Index::parse(text, oci::MediaType::kOciIndex, "index.json"));
  const std::vector<oci::Descriptor> entries = SBX_TRY(choose_entries(index, query.ref));
  ManifestCollector collector(files);
  SBX_TRY(collector.collect(entries, 0));
  const oci::Descriptor chosen = SBX_TRY(choose_manifest(collector.found(), query.platform));

  SourceImage image;
  image.manifest_digest = chosen.digest;
  image.manifest = SBX_TRY(read_blob(files, chosen, oci::kMaxManifestBytes));
  const oci::Manifest manifest =
      SBX_TRY(oci::Manifest::parse(image.manifest, chosen.type(), chosen.digest.str()));
  for (const oci::Descriptor& layer : manifest.layers) {
    image.layers.push_back({blob_path(layer.digest), layer.digest, layer.size});
  }
  image.config_digest = manifest.config.digest;
  image.names = full_names(entries.front(), query.base_name);
  SBX_TRY(take_config(image, SBX_TRY(read_blob(files, manifest.config, kMaxConfigBytes)), query));
  return image;
}

}  // namespace sbx::image
