#pragma once

#include "base/result.hpp"
#include "overlay_mount/options.hpp"

namespace sbx::overlay_mount {

/// Mounts and serves. In the background, it returns in the caller as soon as the mount is usable; in the foreground, and
/// in the process in the background, when it is unmounted. The caller must have one thread.
Result<void> mount_and_serve(const Options& options);

}  // namespace sbx::overlay_mount
