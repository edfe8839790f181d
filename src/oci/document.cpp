#include "oci/document.hpp"

#include <fmt/format.h>

#include "oci/manifest.hpp"

namespace sbx::oci {
namespace {

Unexpected<Error> refuse(ErrorCode code, std::string_view name, std::string reason) {
  return fail(Error::make(code, "read image document", name, std::move(reason)));
}

}  // namespace

Result<Json> parse_document(std::string_view text, MediaType type, std::string_view name) {
  JsonLimits limits;
  limits.bytes = kMaxManifestBytes;
  Json document = SBX_TRY(parse_json(text, name, limits));
  if (!document.is_object()) {
    return refuse(ErrorCode::kCorrupt, name, "it is not a JSON object");
  }
  const std::int64_t version = SBX_TRY(find_integer(document, "schemaVersion")).value_or(0);
  if (version == 1 || type == MediaType::kDockerSchema1) {
    return refuse(ErrorCode::kUnsupported, name,
                  "a docker schema 1 manifest; such images have not been made since 2017: save it "
                  "anew with a "
                  "current docker or skopeo");
  }
  if (version != 2) {
    return refuse(ErrorCode::kCorrupt, name,
                  fmt::format("its schemaVersion is {}, not 2", version));
  }
  const std::optional<std::string> stated = SBX_TRY(find_string(document, "mediaType"));
  if (stated && media_type(*stated) != type) {
    return refuse(ErrorCode::kCorrupt, name,
                  fmt::format("it calls itself '{}', its descriptor says otherwise",
                              printable(*stated, 100)));
  }
  const bool manifest_members = document.contains("layers") || document.contains("config");
  const bool index_members = document.contains("manifests");
  if ((is_index(type) && manifest_members) || (is_manifest(type) && index_members) ||
      document.contains("fsLayers")) {
    return refuse(ErrorCode::kCorrupt, name, "it could be read as a manifest and as an index");
  }
  return document;
}

}  // namespace sbx::oci
