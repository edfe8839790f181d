#pragma once

#include <optional>
#include <string_view>

namespace sbx::oci {

/// The document types sbx knows; what the descriptor says decides how a blob is read, never its looks.
enum class MediaType {
  kOciIndex,
  kOciManifest,
  kOciConfig,
  kDockerManifestList,
  kDockerManifest,
  kDockerConfig,
  kDockerSchema1,  // refused, but by name
  kLayer,          // any tar layer: see layer_compression
  kOther
};

enum class LayerCompression { kNone, kGzip, kZstd };

inline constexpr std::string_view kOciIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayerType = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kDockerManifestType =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfigType =
    "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayerType =
    "application/vnd.docker.image.rootfs.diff.tar";  // plain; ".gzip"

MediaType media_type(std::string_view text);
/// How a layer of this type is compressed; nullopt if it is no layer, or encrypted.
std::optional<LayerCompression> layer_compression(std::string_view text);

[[nodiscard]] constexpr bool is_index(MediaType type) {
  return type == MediaType::kOciIndex || type == MediaType::kDockerManifestList;
}
[[nodiscard]] constexpr bool is_manifest(MediaType type) {
  return type == MediaType::kOciManifest || type == MediaType::kDockerManifest;
}
[[nodiscard]] constexpr bool is_config(MediaType type) {
  return type == MediaType::kOciConfig || type == MediaType::kDockerConfig;
}

}  // namespace sbx::oci
