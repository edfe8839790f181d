#pragma once

#include <string>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"

namespace sbx::runtime {

/// "SRC:DST[:OPTIONS]" of --volume. A source that is not there is made as a directory when the sandbox starts.
/// Options: ro, rw, bind, rbind, nosuid, suid, nodev, dev, noexec, exec.
Result<oci::SpecMount> parse_volume(const std::string& text);

/// "DST[:OPTIONS]" of --tmpfs. Options: size=, mode=, ro, rw, nosuid, suid, nodev, dev, noexec, exec.
/// Docker's default: rw,noexec,nosuid,nodev.
Result<oci::SpecMount> parse_tmpfs(const std::string& text);

}  // namespace sbx::runtime
