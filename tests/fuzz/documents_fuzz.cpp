// The documents of an image: manifests, indexes, configurations, of OCI and of docker. What is accepted is written in our
// own words, and that must be accepted, too.

#include "base/assert.hpp"
#include "harness.hpp"
#include "oci/image_config.hpp"
#include "oci/index.hpp"
#include "oci/manifest.hpp"

using sbx::oci::MediaType;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  for (const MediaType type :
       {MediaType::kOciManifest, MediaType::kDockerManifest, MediaType::kDockerSchema1}) {
    if (const auto manifest = sbx::oci::Manifest::parse(text, type, "input")) {
      SBX_ASSERT(
          sbx::oci::Manifest::parse(manifest->serialise(), MediaType::kOciManifest, "again"));
    }
  }
  for (const MediaType type : {MediaType::kOciIndex, MediaType::kDockerManifestList}) {
    if (const auto index = sbx::oci::Index::parse(text, type, "input")) {
      SBX_ASSERT(sbx::oci::Index::parse(index->serialise(), MediaType::kOciIndex, "again"));
    }
  }
  (void)sbx::oci::ImageConfig::parse(text, "input");
  return 0;
}
