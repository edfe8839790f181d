#include "sandbox/mount_walk.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "sys/raw.hpp"

namespace sbx::sandbox {
namespace {

namespace raw = sys::raw;

std::uint64_t resolve_flags(bool follow_links) noexcept {
  return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
         (follow_links ? 0U : unsigned{RESOLVE_NO_SYMLINKS});
}

/// A path cut into a buffer of our own, so that prefixes can be ended with a null byte in place.
class PathBuffer {
 public:
  explicit PathBuffer(const char* path) noexcept {
    while (*path == '/') {
      ++path;
    }
    length_ = strnlen(path, buffer_.size());
    fits_ = length_ < buffer_.size();
    if (fits_) {
      std::memcpy(buffer_.data(), path, length_ + 1);
      while (length_ > 0 && buffer_.at(length_ - 1) == '/') {
        buffer_.at(--length_) = '\0';
      }
    }
  }
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] char* data() noexcept { return buffer_.data(); }
  [[nodiscard]] const char* text() const noexcept { return length_ == 0 ? "." : buffer_.data(); }

 private:
  std::array<char, PATH_MAX> buffer_;  // NOLINT: filled by the constructor
  std::size_t length_ = 0;
  bool fits_ = false;
};

/// Makes `name` (one component) in the directory `prefix` of `root`.
long make_in(int root, const char* prefix, const char* name, TargetKind kind,
             std::uint64_t resolve) noexcept {
  const long parent =
      raw::open_resolved(root, *prefix == '\0' ? "." : prefix, O_PATH | O_DIRECTORY, 0, resolve);
  if (parent < 0) {
    return parent;
  }
  const int fd = static_cast<int>(parent);
  const long made = kind == TargetKind::kDirectory ? raw::mkdir(fd, name, 0755)
                                                   : raw::mknod_regular(fd, name, 0644);
  (void)raw::close(fd);
  return made == -EEXIST ? 0 : made;
}

/// Makes what is missing of `path`, component by component. A dangling link at the end of a prefix stays
/// an error: we do not make files where an image's link points.
long make_missing(int root, PathBuffer& path, TargetKind kind, std::uint64_t resolve) noexcept {
  char* component = path.data();
  for (;;) {
    char* slash = std::strchr(component, '/');
    const bool last = slash == nullptr;
    if (!last) {
      *slash = '\0';
    }
    const long found = raw::open_resolved(root, path.data(), O_PATH, 0, resolve);
    if (found >= 0) {
      (void)raw::close(static_cast<int>(found));
    } else if (found != -ENOENT) {
      return found;
    } else {
      // Split once more at the component, so that its parent can be opened.
      char saved = '\0';
      char* before = component == path.data() ? nullptr : component - 1;
      if (before != nullptr) {
        saved = *before;
        *before = '\0';
      }
      const long made = make_in(root, before == nullptr ? "" : path.data(), component,
                                last ? kind : TargetKind::kDirectory, resolve);
      if (before != nullptr) {
        *before = saved;
      }
      if (made < 0) {
        return made;
      }
    }
    if (last) {
      return 0;
    }
    *slash = '/';
    component = slash + 1;
  }
}

}  // namespace

long find_target(int root, const char* path, bool follow_links) noexcept {
  const PathBuffer buffer(path);
  if (!buffer.fits()) {
    return -ENAMETOOLONG;
  }
  return raw::open_resolved(root, buffer.text(), O_PATH, 0, resolve_flags(follow_links));
}

long open_for_reading(int root, const char* path) noexcept {
  const PathBuffer buffer(path);
  if (!buffer.fits()) {
    return -ENAMETOOLONG;
  }
  return raw::open_resolved(root, buffer.text(), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                            resolve_flags(true));
}

long open_target(int root, const char* path, TargetKind kind, bool follow_links) noexcept {
  const long found = find_target(root, path, follow_links);
  if (found != -ENOENT) {
    return found;
  }
  PathBuffer buffer(path);
  const long made = make_missing(root, buffer, kind, resolve_flags(follow_links));
  return made < 0 ? made : find_target(root, path, follow_links);
}

}  // namespace sbx::sandbox
