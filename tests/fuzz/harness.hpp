#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What a harness defines, by libFuzzer's contract: returns 0, and aborts if it finds a fault.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sbx::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace sbx::fuzz
