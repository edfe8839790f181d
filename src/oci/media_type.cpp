#include "oci/media_type.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sbx::oci {
namespace {

constexpr std::array<std::pair<std::string_view, MediaType>, 8> kDocuments = {{
    {kOciIndexType, MediaType::kOciIndex},
    {kOciManifestType, MediaType::kOciManifest},
    {kOciConfigType, MediaType::kOciConfig},
    {"application/vnd.docker.distribution.manifest.list.v2+json", MediaType::kDockerManifestList},
    {"application/vnd.docker.distribution.manifest.v2+json", MediaType::kDockerManifest},
    {"application/vnd.docker.container.image.v1+json", MediaType::kDockerConfig},
    {"application/vnd.docker.distribution.manifest.v1+json", MediaType::kDockerSchema1},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", MediaType::kDockerSchema1},
}};

// The "nondistributable" and "foreign" ones lie elsewhere by intent; once they are here they are layers.
constexpr std::array<std::pair<std::string_view, LayerCompression>, 11> kLayers = {{
    {kOciLayerType, LayerCompression::kNone},
    {"application/vnd.oci.image.layer.v1.tar+gzip", LayerCompression::kGzip},
    {"application/vnd.oci.image.layer.v1.tar+zstd", LayerCompression::kZstd},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar", LayerCompression::kNone},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerCompression::kGzip},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LayerCompression::kZstd},
    {"application/vnd.docker.image.rootfs.diff.tar", LayerCompression::kNone},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", LayerCompression::kGzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", LayerCompression::kZstd},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar", LayerCompression::kNone},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerCompression::kGzip},
}};

template <class Table>
auto find(const Table& table, std::string_view text) {
  return std::find_if(table.begin(), table.end(),
                      [&](const auto& row) { return row.first == text; });
}

}  // namespace

MediaType media_type(std::string_view text) {
  if (const auto* row = find(kDocuments, text); row != kDocuments.end()) {
    return row->second;
  }
  return layer_compression(text) ? MediaType::kLayer : MediaType::kOther;
}

std::optional<LayerCompression> layer_compression(std::string_view text) {
  const auto* row = find(kLayers, text);
  return row != kLayers.end() ? std::optional(row->second) : std::nullopt;
}

}  // namespace sbx::oci
