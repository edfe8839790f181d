#pragma once

#include <sys/types.h>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// sbx/ in $XDG_RUNTIME_DIR or /run/user/UID, else /tmp/sbx-UID: of this machine, gone after a reboot, for sockets and locks. Made
/// if it is not there. kDenied if it is not ours alone.
Result<Fd> open_runtime_dir(uid_t uid);

}  // namespace sbx::sys
