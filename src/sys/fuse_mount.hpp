#pragma once

#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// What mount(8) calls the options of a FUSE mount.
struct FuseMount {
  std::string target;        // an existing directory
  std::string source;        // what shows in /proc/self/mounts
  std::string type;          // "fuse.TYPE" there
  std::string context;       // SELinux label of all files; empty: none
  unsigned long flags = 0;   // MS_* of mount(2)
  bool allow_other = false;  // users other than the one who mounts
  bool default_permissions = false;
};

/// Mounts a FUSE file system, and returns the connection to be served. Directly where the caller may mount, which the root
/// of a user namespace may in a mount namespace of that; else by fusermount3, which allows allow_other only if /etc/fuse.conf does.
/// The caller must have one thread.
Result<Fd> mount_fuse(const FuseMount& mount);

/// Unmounts what mount_fuse() mounted at `target`; if it is in use, takes it out of the tree, to end when it is not.
Result<void> unmount_fuse(const std::string& target);

}  // namespace sbx::sys
