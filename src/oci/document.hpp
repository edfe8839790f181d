#pragma once

#include <string_view>

#include "base/json.hpp"
#include "oci/media_type.hpp"

namespace sbx::oci {

/// A manifest or index as JSON, checked for what both have in common: schemaVersion 2, a "mediaType" that,
/// if it is there, says `type`, and not the members of the other kind (CVE-2021-41190: one document,
/// two readings).
Result<Json> parse_document(std::string_view text, MediaType type, std::string_view name);

}  // namespace sbx::oci
