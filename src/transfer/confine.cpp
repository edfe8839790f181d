#include "transfer/confine.hpp"

#include <fcntl.h>

#include "base/log.hpp"
#include "base/sha256.hpp"
#include "sys/file.hpp"
#include "sys/landlock.hpp"
#include "sys/raw.hpp"

namespace sbx::transfer {
namespace {

FsResult<void> apply_landlock(sys::LandlockNetwork network, std::span<const int> write,
                              std::span<const int> read) {
  sys::Landlock rules = SBX_TRY(sys::Landlock::create(network));
  for (const int fd : write) {
    SBX_TRY(rules.allow_below(fd, sys::LandlockAccess::kReadWrite));
  }
  for (const int fd : read) {
    SBX_TRY(rules.allow_below(fd, sys::LandlockAccess::kRead));
  }
  return rules.enforce();
}

Result<void> confine_to(sys::LandlockNetwork network, std::span<const int> write,
                        std::span<const int> read) {
  // libcrypto reads its configuration file at the first use, and takes a file it may not read as a failure.
  (void)Sha256().finish();
  if (sys::raw::set_no_new_privs() != 0) {
    return fail(Error::system("give up privileges for", "sbx-transfer"));
  }
  const FsResult<void> confined = apply_landlock(network, write, read);
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

}  // namespace

Result<void> confine(int store_dir, int source) {
  return confine(std::span(&store_dir, 1), std::span(&source, 1));
}

Result<void> confine(std::span<const int> write, std::span<const int> read) {
  return confine_to(sys::LandlockNetwork::kDenied, write, read);
}

Result<void> confine_with_network(std::span<const int> write,
                                  const std::vector<std::string>& files) {
  std::vector<sys::Fd> open;
  std::vector<int> read;
  for (const std::string& path : files) {
    if (Result<sys::Fd> file = sys::open_at(AT_FDCWD, path, O_PATH)) {
      read.push_back(file->get());
      open.push_back(std::move(file).value());
    }
  }
  return confine_to(sys::LandlockNetwork::kUntouched, write, read);
}

}  // namespace sbx::transfer
