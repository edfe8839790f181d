#include "oci/manifest.hpp"

#include <fmt/format.h>

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
  Json out{{"schemaVersion", 2}, {"mediaType", kOciManifestType}, {"config", config.to_json()}};
  out["layers"] = Json::array();
  for (const Descriptor& layer : layers) {
    out["layers"].push_back(layer.to_json());
  }
  if (!annotations.empty()) {
    out["annotations"] = annotations;
  }
  return dump_json(out);
}

}  // namespace sbx::oci
