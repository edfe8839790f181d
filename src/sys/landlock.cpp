#include "sys/landlock.hpp"

#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sbx::sys {
namespace {

// Access rights by the interface version that brought them. Newer ones than the build machine's headers know.
constexpr std::uint64_t kVersion1 = (1U << 13U) - 1;  // execute … make_sym
constexpr std::uint64_t kRefer = 1U << 13U;           // version 2, Linux 5.19
constexpr std::uint64_t kTruncate = 1U << 14U;        // version 3, Linux 6.2
constexpr std::uint64_t kIoctlDevice = 1U << 15U;     // version 5, Linux 6.10
constexpr std::uint64_t kTcp = 3;                     // version 4, Linux 6.7: bind and connect
constexpr std::uint64_t kScopes = 3;  // version 6, Linux 6.12: abstract sockets and signals

constexpr std::uint64_t kReading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriting =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | kRefer | kTruncate;
// Landlock refuses these for a rule on a file.
constexpr std::uint64_t kDirectoryOnly =
    ~(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE |
      kTruncate | kIoctlDevice);

/// struct landlock_ruleset_attr as of version 6; an older kernel takes its first members.
struct RulesetAttributes {
  std::uint64_t handled_fs = 0;
  std::uint64_t handled_net = 0;
  std::uint64_t scoped = 0;
};

std::uint64_t handled_by(int version) {
  std::uint64_t rights = kVersion1;
  rights |= version >= 2 ? kRefer : 0;
  rights |= version >= 3 ? kTruncate : 0;
  rights |= version >= 5 ? kIoctlDevice : 0;
  return rights;
}

std::size_t attribute_size(int version) {
  return version >= 6   ? sizeof(RulesetAttributes)
         : version >= 4 ? 2 * sizeof(std::uint64_t)
                        : sizeof(std::uint64_t);
}

}  // namespace

int Landlock::interface_version() noexcept {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

FsResult<Landlock> Landlock::create(LandlockNetwork network) noexcept {
  const int version = interface_version();
  RulesetAttributes attributes;
  attributes.handled_fs = handled_by(version);
  attributes.handled_net = version >= 4 && network == LandlockNetwork::kDenied ? kTcp : 0;
  attributes.scoped = version >= 6 ? kScopes : 0;
  const long fd = version == 0 ? -1
                               : ::syscall(SYS_landlock_create_ruleset, &attributes,
                                           attribute_size(version), 0);
  if (fd < 0) {
    return fail(version == 0 ? Errno(EOPNOTSUPP) : Errno::last());
  }
  return Landlock(Fd(static_cast<int>(fd)), attributes.handled_fs);  // close-on-exec by itself
}

FsResult<void> Landlock::allow_below(int fd, LandlockAccess access) noexcept {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    return fail(Errno::last());
  }
  landlock_path_beneath_attr rule{};
  rule.allowed_access =
      (access == LandlockAccess::kRead ? kReading : kReading | kWriting) & handled_;
  if (!S_ISDIR(info.st_mode)) {
    rule.allowed_access &= ~kDirectoryOnly;
  }
  rule.parent_fd = fd;
  if (::syscall(SYS_landlock_add_rule, rules_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return fail(Errno::last());
  }
  return {};
}

FsResult<void> Landlock::enforce() noexcept {
  if (::syscall(SYS_landlock_restrict_self, rules_.get(), 0) != 0) {
    return fail(Errno::last());
  }
  return {};
}

}  // namespace sbx::sys
