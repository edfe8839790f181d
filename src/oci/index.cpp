#include "oci/index.hpp"

#include <fmt/format.h>

#include "oci/document.hpp"

namespace sbx::oci {

Result<Index> Index::parse(std::string_view text, MediaType type, std::string_view name) {
  const Json document = SBX_TRY(parse_document(text, type, name));
  const Json* manifests = SBX_TRY(find_array(document, "manifests"));
  if (!is_index(type) || manifests == nullptr) {
    return fail(
        Error::make(ErrorCode::kCorrupt, "read image index", name, "it is not an image index"));
  }
  if (manifests->size() > kMaxIndexEntries) {
    return fail(Error::make(ErrorCode::kLimit, "read image index", name,
                            fmt::format("more than {} entries", kMaxIndexEntries)));
  }
  Index out;
  for (const Json& item : *manifests) {
    out.manifests.push_back(SBX_TRY(Descriptor::from_json(item)));
  }
  out.annotations = SBX_TRY(annotations_from_json(document));
  return out;
}

std::string Index::serialise() const {
  Json out{{"schemaVersion", 2}, {"mediaType", kOciIndexType}, {"manifests", Json::array()}};
  for (const Descriptor& manifest : manifests) {
    out["manifests"].push_back(manifest.to_json());
  }
  if (!annotations.empty()) {
    out["annotations"] = annotations;
  }
  return dump_json(out, 2);
}

}  // namespace sbx::oci
