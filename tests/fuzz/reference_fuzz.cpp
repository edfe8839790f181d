// Image names, digests and platforms as people type them. A name that parses has one way to be written.

#include "base/assert.hpp"
#include "harness.hpp"
#include "oci/digest.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  if (const auto name = sbx::oci::Reference::parse(text)) {
    const auto again = sbx::oci::Reference::parse(name->str());
    SBX_ASSERT(again && again->str() == name->str());
  }
  if (const auto digest = sbx::oci::Digest::parse(text)) {
    SBX_ASSERT(digest->str() == text);
  }
  (void)sbx::oci::Platform::parse(text);
  return 0;
}
