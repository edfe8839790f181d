#include "oci/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "oci/document.hpp"

namespace sbx::oci {
namespace {

Unexpected<Error> refuse(ErrorCode code, std::string_view name, std::string reason) {
  return fail(Error::make(code, "read image manifest", name, std::move(reason)));
}

Result<std::vector<Descriptor>> parse_layers(const Json& document, std::string_view name) {
  const Json* layers = SBX_TRY(find_array(document, "layers"));
  if (layers == nullptr || layers->empty()) {
    return refuse(ErrorCode::kCorrupt, name, "it has no layers");
  }
  if (layers->size() > kMaxLayers) {
    return refuse(ErrorCode::kLimit, name, fmt::format("more than {} layers", kMaxLayers));
  }
  std::vector<Descriptor> out;
  for (const Json& item : *layers) {
    Descriptor layer = SBX_TRY(Descriptor::from_json(item));
    if (!layer_compression(layer.media_type)) {
      return refuse(
          ErrorCode::kUnsupported, name,
          fmt::format("layers of type '{}' are not supported", printable(layer.media_type, 100)));
    }
    out.push_back(std::move(layer));
  }
  return out;
}

/// By LayerCompression.
using LayerTypes = std::array<std::string_view, 3>;
constexpr LayerTypes kOciLayerTypes{kOciLayerType, "application/vnd.oci.image.layer.v1.tar+gzip",
                                    "application/vnd.oci.image.layer.v1.tar+zstd"};
constexpr LayerTypes kDockerLayerTypes{kDockerLayerType,
                                       "application/vnd.docker.image.rootfs.diff.tar.gzip", ""};

Json document_of(const Manifest& manifest, std::string_view type, std::string_view config_type,
                 const LayerTypes& layer_types) {
  Descriptor config = manifest.config;
  config.media_type = config_type;
  Json out{{"schemaVersion", 2}, {"mediaType", type}, {"config", config.to_json()}};
  out["layers"] = Json::array();
  for (Descriptor layer : manifest.layers) {
    // What is no layer's type stays as it is, for whoever reads it to complain.
    if (const auto compression = layer_compression(layer.media_type)) {
      layer.media_type = layer_types.at(static_cast<std::size_t>(*compression));
    }
    out["layers"].push_back(layer.to_json());
  }
  return out;
}

}  // namespace

Result<Manifest> Manifest::parse(std::string_view text, MediaType type, std::string_view name) {
  const Json document = SBX_TRY(parse_document(text, type, name));
  const Json* config = SBX_TRY(find_object(document, "config"));
  if (!is_manifest(type) || config == nullptr) {
    return refuse(ErrorCode::kCorrupt, name, "it is not an image manifest");
  }
  Manifest out;
  out.config = SBX_TRY(Descriptor::from_json(*config));
  if (!is_config(out.config.type())) {
    return refuse(ErrorCode::kUnsupported, name,
                  fmt::format("it is no container image: its config is of type '{}'",
                              printable(out.config.media_type, 100)));
  }
  out.layers = SBX_TRY(parse_layers(document, name));
  out.annotations = SBX_TRY(annotations_from_json(document));
  return out;
}

std::string Manifest::serialise() const {
  Json out = document_of(*this, kOciManifestType, kOciConfigType, kOciLayerTypes);
  if (!annotations.empty()) {
    out["annotations"] = annotations;
  }
  return dump_json(out);
}

Result<std::string> Manifest::serialise_docker() const {
  const bool has_zstd = std::any_of(layers.begin(), layers.end(), [](const Descriptor& layer) {
    return layer_compression(layer.media_type) == LayerCompression::kZstd;
  });
  if (has_zstd) {
    return refuse(ErrorCode::kUnsupported, "",
                  "docker's schema 2 has no layers compressed with zstd");
  }
  return dump_json(document_of(*this, kDockerManifestType, kDockerConfigType, kDockerLayerTypes));
}

}  // namespace sbx::oci
