#include "transfer/confine.hpp"

#include "base/log.hpp"
#include "base/sha256.hpp"
#include "sys/landlock.hpp"
#include "sys/raw.hpp"

namespace sbx::transfer {
namespace {

FsResult<void> apply_landlock(std::span<const int> write, std::span<const int> read) {
  sys::Landlock rules = SBX_TRY(sys::Landlock::create(sys::LandlockNetwork::kDenied));
  for (const int fd : write) {
    SBX_TRY(rules.allow_below(fd, sys::LandlockAccess::kReadWrite));
  }
  for (const int fd : read) {
    SBX_TRY(rules.allow_below(fd, sys::LandlockAccess::kRead));
  }
  return rules.enforce();
}

}  // namespace

Result<void> confine(int store_dir, int source) {
  return confine(std::span(&store_dir, 1), std::span(&source, 1));
}

Result<void> confine(std::span<const int> write, std::span<const int> read) {
  // libcrypto reads its configuration file at the first use, and takes a file it may not read as a failure.
  (void)Sha256().finish();
  if (sys::raw::set_no_new_privs() != 0) {
    return fail(Error::system("give up privileges for", "sbx-transfer"));
  }
  const FsResult<void> confined = apply_landlock(write, read);
  if (confined) {
    return {};
  }
  const Errno why = confined.error();
  if (why == Errno(ENOSYS) || why == Errno(EOPNOTSUPP)) {
    log::debug("this kernel has no Landlock: sbx-transfer can reach all files of the user");
    return {};
  }
  return fail(Error::system("confine", "sbx-transfer", why.value()));
}

}  // namespace sbx::transfer
