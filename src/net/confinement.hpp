#pragma once

#include "base/result.hpp"
#include "net/slirp.hpp"

namespace sbx::net {

/// Takes from the calling process all that the network process does not need; the stages of sys/isolate.hpp.
Result<void> confine(const SlirpRequest& request);

}  // namespace sbx::net
