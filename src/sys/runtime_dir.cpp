#include "sys/runtime_dir.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "sys/file.hpp"
#include "sys/xdg.hpp"

namespace sbx::sys {
namespace {

/// Makes the last directory of `path` if need be. Nobody else may be able to put anything there.
Result<Fd> open_own_directory(const std::string& path) {
  if (Result<void> made = make_dir_at(AT_FDCWD, path, 0700);
      !made && made.error().code != ErrorCode::kAlreadyExists) {
    return fail(std::move(made).error());
  }
  Fd dir = SBX_TRY(open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat st = SBX_TRY(stat_fd(dir.get(), path));
  if (st.st_uid != ::geteuid() || (st.st_mode & 077) != 0) {
    return fail(Error::make(ErrorCode::kDenied, "use the directory", path,
                            "it is not ours, or others may use it"));
  }
  return dir;
}

}  // namespace

Result<Fd> open_runtime_dir(uid_t uid) {
  std::vector<std::string> tops;
  if (std::string top = environment("XDG_RUNTIME_DIR"); top.starts_with('/')) {
    tops.push_back(std::move(top));
  }
  tops.push_back(fmt::format("/run/user/{}", uid));
  for (const std::string& top : tops) {
    if (exists_at(AT_FDCWD, top)) {
      return open_own_directory(top + "/sbx");
    }
  }
  return open_own_directory(fmt::format("/tmp/sbx-{}", uid));
}

}  // namespace sbx::sys
