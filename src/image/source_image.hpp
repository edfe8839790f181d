#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/source_files.hpp"
#include "oci/descriptor.hpp"
#include "oci/image_config.hpp"
#include "oci/platform.hpp"

namespace sbx::image {

/// An image that was found in a source: its documents are checked, its layers not read yet.
struct SourceImage {
  struct Layer {
    std::string path;                   // for SourceFiles::find; empty in a registry
    std::optional<oci::Digest> digest;  // of the bytes as they are; archives of docker give none
    std::optional<std::uint64_t> size;
    std::string media_type;  // as the manifest has it; empty in archives of docker
  };

  std::optional<oci::Digest> index_digest;  // of the index by which a registry named it
  std::optional<oci::Digest> manifest_digest;
  std::string manifest;  // as it stands; empty for docker's archives
  oci::Digest config_digest;
  std::string config_text;
  oci::ImageConfig config;
  std::vector<Layer> layers;       // as many as config.diff_ids, lowest first
  std::vector<std::string> names;  // full names that the source gives it
};

struct SourceQuery {
  std::string ref;  // which image of the source; empty: the only one
  oci::Platform platform;
  std::string base_name;  // of the source's path: completes a name that is only a tag
};

/// One of the images of a source.
struct ListedImage {
  std::string ref;                 // SourceQuery::ref that means it
  std::vector<std::string> names;  // full names; empty: those that find_in_... gives
};

/// Every image of an OCI layout, and of a docker archive: what `docker load` takes in. Manifests of one name are one image for
/// several platforms.
Result<std::vector<ListedImage>> list_oci_layout(SourceFiles& files, const std::string& base_name);
Result<std::vector<ListedImage>> list_docker_archive(SourceFiles& files);

/// An OCI image layout (image-spec image-layout.md): index.json, nested indexes, manifests.
Result<SourceImage> find_in_oci_layout(SourceFiles& files, const SourceQuery& query);
/// What `docker save` writes: manifest.json, configurations and layers by path.
Result<SourceImage> find_in_docker_archive(SourceFiles& files, const SourceQuery& query);

/// Reads the manifest, whose size and digest have been compared with `chosen`: the layers with their digests, and the
/// configuration's descriptor, which is returned.
Result<oci::Descriptor> take_manifest(SourceImage& image, const oci::Descriptor& chosen,
                                      std::string text);
/// Reads the configuration and compares it with what was asked for and with the number of layers.
Result<void> take_config(SourceImage& image, std::string text, const oci::Platform& wanted);

/// Of a configuration: what containerd and docker accept.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20U;

/// kCorrupt unless `text` has this digest.
Result<void> check_digest(std::string_view text, const oci::Digest& expected,
                          std::string_view what);

/// kUnsupported, listing what there is.
Error no_such_platform(const oci::Platform& wanted, const std::vector<std::string>& there_are);

}  // namespace sbx::image
