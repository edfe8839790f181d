// TOML: what is accepted is JSON within the limits of JSON.

#include "base/assert.hpp"
#include "base/toml.hpp"
#include "harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = sbx::parse_toml(sbx::fuzz::as_text(data, size), "input");
  if (parsed) {
    SBX_ASSERT(parsed->is_object());
    SBX_ASSERT(sbx::parse_json(sbx::dump_json(*parsed), "again"));
  }
  return 0;
}
