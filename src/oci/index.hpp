#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/descriptor.hpp"

namespace sbx::oci {

// An index may list indexes. Enough for every real one; a graph that grows exponentially is cut off
// (GO-2026-6597).
inline constexpr std::size_t kMaxIndexDepth = 8;
inline constexpr std::size_t kMaxIndexEntries = 4096;

/// An image index: OCI, or docker's manifest list. Also the store's own index.json.
struct Index {
  std::vector<Descriptor> manifests;
  Annotations annotations;

  /// As Manifest::parse. `type` must be an index's.
  static Result<Index> parse(std::string_view text, MediaType type, std::string_view name);
  /// An OCI index.
  [[nodiscard]] std::string serialise() const;
};

}  // namespace sbx::oci
