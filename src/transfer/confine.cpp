#include "transfer/confine.hpp"

#include <fcntl.h>

#include "base/log.hpp"
#include "base/sha256.hpp"
#include "sys/file.hpp"
#include "sys/landlock.hpp"
#include "sys/raw.hpp"
#include "transfer/call_filter.hpp"

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

/// The kernel has no such thing, or it is switched off.
bool is_missing(Errno why) { return why == Errno(ENOSYS) || why == Errno(EOPNOTSUPP); }

Result<void> confine_to(sys::LandlockNetwork network, std::span<const int> write,
                        std::span<const int> read) {
  // libcrypto reads its configuration file at the first use, and takes a file it may not read as a failure.
  (void)Sha256().finish();
  if (sys::raw::set_no_new_privs() != 0) {
    return fail(Error::system("give up privileges for", "sbx-transfer"));
  }
  const FsResult<void> confined = apply_landlock(network, write, read);
  if (!confined && !is_missing(confined.error())) {
    return fail(Error::system("confine", "sbx-transfer", confined.error().value()));
  }
  if (!confined) {
    log::debug("this kernel has no Landlock: sbx-transfer can reach all files of the user");
  }
  const FsResult<void> filtered = filter_calls(
      network == sys::LandlockNetwork::kDenied ? Talks::kToNobody : Talks::kToRegistries);
  const bool no_filters =
      !filtered && (is_missing(filtered.error()) || filtered.error() == Errno(EINVAL));
  if (!filtered && !no_filters) {
    return fail(
        Error::system("filter the system calls of", "sbx-transfer", filtered.error().value()));
  }
  if (no_filters) {
    log::debug("this kernel has no seccomp filters: sbx-transfer has all system calls");
  }
  return {};
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
