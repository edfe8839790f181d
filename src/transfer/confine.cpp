#include "transfer/confine.hpp"

#include "base/log.hpp"
#include "base/sha256.hpp"
#include "sys/landlock.hpp"
#include "sys/raw.hpp"

namespace sbx::transfer {
namespace {

FsResult<void> apply_landlock(int store_dir, int source) {
  sys::Landlock rules = SBX_TRY(sys::Landlock::create(sys::LandlockNetwork::kDenied));
  SBX_TRY(rules.allow_below(store_dir, sys::LandlockAccess::kReadWrite));
  SBX_TRY(rules.allow_below(source, sys::LandlockAccess::kRead));
  return rules.enforce();
}

}  // namespace

Result<void> confine(int store_dir, int source) {
  // libcrypto reads its configuration file at the first use, and takes a file it may not read as a failure.
  (void)Sha256().finish();
  if (sys::raw::set_no_new_privs() != 0) {
    return fail(Error::system("give up privileges for", "sbx-transfer"));
  }
  const FsResult<void> confined = apply_landlock(store_dir, source);
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
