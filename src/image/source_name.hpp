#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::image {

enum class Transport { kOciDirectory, kOciArchive, kDockerArchive };

/// "oci:DIR[:REF]", "oci-archive:FILE[:REF]", "docker-archive:FILE[:REF]", as skopeo and podman write them.
struct SourceName {
  Transport transport = Transport::kOciDirectory;
  std::string path;
  std::string ref;  // empty: the only one

  /// kInvalidArgument. Looks whether the whole rest is a path that exists, because paths may have colons.
  static Result<SourceName> parse(std::string_view text);
  /// Whether `text` begins like one of the three: then it is a file to load, not the name of an image.
  [[nodiscard]] static bool is_one(std::string_view text);
};

/// "/images/busybox.tar.gz" is "busybox": the repository of a name that is only a tag.
std::string repository_of_path(std::string path);

}  // namespace sbx::image
