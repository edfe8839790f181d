// What registries and token servers answer in JSON: tokens, errors, tags, catalogs, search results.

#include <algorithm>

#include "base/assert.hpp"
#include "harness.hpp"
#include "registry/listing.hpp"
#include "registry/registry_error.hpp"
#include "registry/token.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sbx::registry;
  const std::string_view text = sbx::fuzz::as_text(data, size);
  if (const auto token = parse_token(text, "fuzz")) {
    const auto fits = [](char c) { return c > ' ' && c < 0x7F; };
    SBX_ASSERT(!token->value.empty() &&
               std::all_of(token->value.begin(), token->value.end(), fits));
    SBX_ASSERT(token->lifetime.count() >= 0);
  }
  const std::string words = describe_error_body(text);
  SBX_ASSERT(words.size() < 2500);  // 4 × (40 + 120) bytes, each \xNN at worst
  SBX_ASSERT(std::none_of(words.begin(), words.end(), [](unsigned char c) { return c < 0x20; }));
  if (const auto tags = parse_tags(text, "fuzz")) {
    SBX_ASSERT(std::all_of(tags->begin(), tags->end(), is_tag));
  }
  (void)parse_catalog(text, "fuzz");
  (void)parse_search(text, "fuzz");
  return 0;
}
