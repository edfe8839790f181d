#include "copy/anchor.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::copy {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel: path_resolution(7)

/// "a/b//" as "a/b"; "/" stays.
std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

/// "a/b/." as "a/b".
std::string without_dot(std::string path) {
  path = without_slashes(std::move(path));
  while (path.ends_with("/.")) {
    path = without_slashes(path.substr(0, path.size() - 1));
  }
  return path;
}

}  // namespace

Result<sys::Fd> Anchor::open(const std::string& path, int flags) const {
  return root_ ? sys::open_in_root(root_.get(), path.empty() ? "." : path, flags)
               : sys::open_at(AT_FDCWD, path, flags);
}

Result<Place> find_place(const Anchor& anchor, const std::string& given) {
  std::string path = without_dot(given);
  for (int i = 0; i < kMaxLinks; ++i) {
    const std::size_t slash = path.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") {
      return fail(Error::system("write to", given, EISDIR));
    }
    Place out{SBX_TRY(anchor.open(parent, O_PATH | O_DIRECTORY)), name, std::nullopt};
    const FsResult<struct stat> found = sys::at::stat(out.dir.get(), name.c_str());
    if (!found && found.error() != Errno(ENOENT)) {
      return fail(Error::system("look for", given, found.error().value()));
    }
    if (!found) {
      return out;
    }
    if (!S_ISLNK(found->st_mode)) {
      out.found = *found;
      return out;
    }
    const std::string target = SBX_TRY(sys::read_link_at(out.dir.get(), name));
    path = without_dot(target.starts_with('/') || slash == std::string::npos ? target
                                                                             : parent + target);
  }
  return fail(Error::system("follow links of", given, ELOOP));
}

std::string base_name(const std::string& given) {
  const std::string path = without_slashes(given);
  const std::size_t slash = path.find_last_of('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.empty() || name == ".." ? "." : name;
}

bool names_directory(const std::string& path) {
  return path.ends_with('/') || path == "." || path == ".." || path.ends_with("/.") ||
         path.ends_with("/..");
}

}  // namespace sbx::copy
