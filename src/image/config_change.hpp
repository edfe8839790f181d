#pragma once

#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx::image {

/// Applies an instruction of a Containerfile to the "config" object of an image configuration, as `docker import --change`:
/// CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR; the word may be in any case and be followed by
/// a space or, as podman takes it, by "=". Words and quotes are a shell's, without expansion. kInvalidArgument.
Result<void> apply_change(Json& config, std::string_view change);

}  // namespace sbx::image
