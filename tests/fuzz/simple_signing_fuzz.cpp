// The payload of a signature: what is accepted has a digest and an identity that can be compared.

#include "base/assert.hpp"
#include "harness.hpp"
#include "registry/simple_signing.hpp"

using namespace sbx;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  const auto claim = registry::SignedClaim::parse(text);
  const auto image = oci::Reference::parse("docker.io/library/app:1").value();
  if (claim && registry::IdentityRule().accepts(image, claim->identity)) {
    SBX_ASSERT(oci::Reference::parse(claim->identity)->str() == image.str());
  }
  const auto json = parse_json(text, "input");
  const auto rule = json ? registry::IdentityRule::parse(*json) : registry::IdentityRule();
  if (rule) {
    (void)rule->accepts(image, "docker.io/library/app:1");
    (void)rule->accepts(image, text);
  }
  return 0;
}
