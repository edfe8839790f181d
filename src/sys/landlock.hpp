#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// What a process restricted by Landlock may still do below a directory.
enum class LandlockAccess {
  kRead,       // read files and list directories
  kReadWrite,  // and write, make, remove, rename, link everything that is not a device
};

enum class LandlockNetwork {
  kUntouched,
  kDenied,  // no bind and no connect of TCP; since Linux 6.7
};

/// A Landlock rule set: takes from the calling process the right to open anything by path but what is named here.
/// Descriptors that are open already keep working. See landlock(7); Linux 5.13, may be switched off. Every access
/// right that the running kernel knows is taken away, so a newer kernel confines more.
class Landlock {
 public:
  /// The kernel's interface version; 0: there is no Landlock, or it is off.
  [[nodiscard]] static int interface_version() noexcept;

  /// EOPNOTSUPP or ENOSYS where there is no Landlock.
  static FsResult<Landlock> create(LandlockNetwork network) noexcept;

  /// Allows `access` to the file or everything below the directory that `fd` (O_PATH is enough) refers to.
  FsResult<void> allow_below(int fd, LandlockAccess access) noexcept;

  /// Restricts the calling thread and what it starts, for good. no_new_privs must be set.
  FsResult<void> enforce() noexcept;

 private:
  Landlock(Fd rules, std::uint64_t handled) : rules_(std::move(rules)), handled_(handled) {}

  Fd rules_;
  std::uint64_t handled_;
};

}  // namespace sbx::sys
