#pragma once

#include <sys/types.h>

#include "base/result.hpp"

namespace sbx::runtime {

/// Gives what `fd` refers to, and all that lies below it on the same file system, to one owner. Nothing is followed, so that who writes there
/// meanwhile can lead it nowhere else. What has that owner already is left alone, and keeps its set-user-id bits.
Result<void> give_tree(int fd, uid_t uid, gid_t gid);

}  // namespace sbx::runtime
