#include "oci/descriptor.hpp"

namespace sbx::oci {

Result<Annotations> annotations_from_json(const Json& object, std::string_view key) {
  Annotations out;
  const Json* member = SBX_TRY(find_object(object, key));
  if (member == nullptr) {
    return out;
  }
  for (const auto& [name, value] : member->items()) {
    if (!value.is_string()) {
      return fail(Error::make(ErrorCode::kCorrupt, "read annotation", name, "it is not a string"));
    }
    out.emplace(name, value.get<std::string>());
  }
  return out;
}

Result<Descriptor> Descriptor::from_json(const Json& object) {
  if (!object.is_object()) {
    return fail(Error::make(ErrorCode::kCorrupt, "read descriptor", "", "it is not an object"));
  }
  Descriptor out;
  out.media_type = SBX_TRY(find_string(object, "mediaType")).value_or("");
  const std::optional<std::string> digest = SBX_TRY(find_string(object, "digest"));
  const std::optional<std::int64_t> size = SBX_TRY(find_integer(object, "size"));
  if (!digest || !size || *size < 0) {
    return fail(Error::make(ErrorCode::kCorrupt, "read descriptor", digest.value_or(""),
                            "it has no digest or no valid size"));
  }
  out.digest = SBX_TRY(Digest::parse(*digest));
  out.size = static_cast<std::uint64_t>(*size);
  if (const Json* platform = SBX_TRY(find_object(object, "platform"))) {
    out.platform = SBX_TRY(Platform::from_json(*platform));
  }
  out.annotations = SBX_TRY(annotations_from_json(object));
  return out;
}

Json Descriptor::to_json() const {
  Json out{{"mediaType", media_type}, {"digest", digest.str()}, {"size", size}};
  if (platform) {
    out["platform"] = {{"os", platform->os}, {"architecture", platform->architecture}};
    if (!platform->variant.empty()) {
      out["platform"]["variant"] = platform->variant;
    }
  }
  if (!annotations.empty()) {
    out["annotations"] = annotations;
  }
  return out;
}

}  // namespace sbx::oci
