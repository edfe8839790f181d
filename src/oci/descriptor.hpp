#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "oci/digest.hpp"
#include "oci/media_type.hpp"
#include "oci/platform.hpp"

namespace sbx::oci {

/// The name of an image in an index (image-spec annotations.md).
inline constexpr std::string_view kRefNameAnnotation = "org.opencontainers.image.ref.name";
/// The full name, as containerd and buildkit write it besides a tag alone in ref.name.
inline constexpr std::string_view kContainerdNameAnnotation = "io.containerd.image.name";

using Annotations = std::map<std::string, std::string>;

/// image-spec descriptor.md: what a blob is, its digest and its size. Annotations are data: sbx acts on
/// names only.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform;
  Annotations annotations;

  [[nodiscard]] MediaType type() const { return oci::media_type(media_type); }
  static Result<Descriptor> from_json(const Json& object);
  [[nodiscard]] Json to_json() const;
};

/// The member "annotations": strings by name. kCorrupt for anything else.
Result<Annotations> annotations_from_json(const Json& object, std::string_view key = "annotations");

}  // namespace sbx::oci
