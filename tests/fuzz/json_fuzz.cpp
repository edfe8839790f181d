// JSON from outside: what parses is written and parses again to the same.

#include "base/assert.hpp"
#include "base/json.hpp"
#include "harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = sbx::parse_json(sbx::fuzz::as_text(data, size), "input");
  if (parsed) {
    const auto again = sbx::parse_json(sbx::dump_json(*parsed), "again");
    SBX_ASSERT(again && *again == *parsed);
  }
  return 0;
}
