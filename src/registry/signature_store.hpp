#pragma once

#include "registry/exchange.hpp"
#include "registry/policy.hpp"

namespace sbx::registry {

/// Fetches signatures from the servers that registries.d names (containers-registries.d(5), "lookaside"): without credentials,
/// by https unless the address says http; certificates are verified. kNotFound never: nullopt instead.
SignatureFetcher fetch_signatures(ClientOptions options);

}  // namespace sbx::registry
