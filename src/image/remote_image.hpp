#pragma once

#include <functional>
#include <string>
#include <vector>

#include "image/source_image.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"

namespace sbx::image {

/// Asked once the platform's manifest is known, before anything of it is used.
using PolicyCheck = std::function<Result<void>(const oci::Reference&, const oci::Digest& manifest)>;

/// What a registry has under a name: documents checked, layers not fetched.
struct RemoteImage {
  registry::Manifest asked;  // what the name means: an index, or the manifest itself
  SourceImage image;         // for the platform
  std::string manifest_type;
  std::vector<std::string> platforms;  // of the index; empty if it is none
};

/// kUnsupported lists the platforms there are if none suits; docker's schema 1, too. `policy` may be empty.
Result<RemoteImage> find_remote_image(registry::Client& client, const oci::Reference& reference,
                                      const oci::Platform& platform, const PolicyCheck& policy);

}  // namespace sbx::image
