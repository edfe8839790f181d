// policy.json and registries.d: what is accepted answers for any image, and a policy that rejects all does not accept.

#include "base/assert.hpp"
#include "harness.hpp"
#include "registry/policy.hpp"

using namespace sbx;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  (void)registry::parse_lookaside(text, "input");
  const auto policy = registry::Policy::parse(text, "input");
  if (!policy) {
    return 0;
  }
  for (const char* name : {"busybox", "a.example.com:5000/n/r:1", "docker.io/evil/x"}) {
    const auto reference = oci::Reference::parse(name).value();
    if (policy->needs_gpg(reference)) {
      continue;  // would start gpg
    }
    const auto answer = policy->check(reference, oci::Digest{}, [](const std::string&) {
      return Result<std::optional<std::string>>(std::optional<std::string>{});
    });
    SBX_ASSERT(answer || answer.error().code == ErrorCode::kDenied);
  }
  return 0;
}
