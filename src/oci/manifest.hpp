#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/descriptor.hpp"

namespace sbx::oci {

inline constexpr std::size_t kMaxManifestBytes = std::size_t{4} << 20U;  // as containerd
inline constexpr std::size_t kMaxLayers = 512;

/// An image manifest: OCI, or docker's schema 2.
struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
  Annotations annotations;

  /// `type` is what the descriptor said, and the document must agree (CVE-2021-41190). kUnsupported for
  /// schema 1, for what is no image (an artifact) and for encrypted layers; kCorrupt, kLimit.
  static Result<Manifest> parse(std::string_view text, MediaType type, std::string_view name);
  /// An OCI manifest: the types of configuration and layers become OCI's.
  [[nodiscard]] std::string serialise() const;
  /// The same as docker's schema 2, which has no annotations. kUnsupported for layers with zstd.
  [[nodiscard]] Result<std::string> serialise_docker() const;
};

}  // namespace sbx::oci
