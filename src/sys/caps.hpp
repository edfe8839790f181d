#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sbx::sys {

/// A set of capabilities, bit n = capability n; see capabilities(7).
using CapabilityMask = std::uint64_t;

/// "CAP_CHOWN" or "chown", in any case. kInvalidArgument for names that this libcap does not know.
Result<CapabilityMask> capability(const std::string& name);
Result<CapabilityMask> capabilities(const std::vector<std::string>& names);
/// The highest capability of the running kernel.
[[nodiscard]] unsigned last_capability();
/// What we have in effect ourselves.
[[nodiscard]] CapabilityMask own_capabilities();

}  // namespace sbx::sys
