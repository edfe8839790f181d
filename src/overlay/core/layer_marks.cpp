#include "overlay/core/layer_marks.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <array>

#include "sys/at.hpp"

namespace sbx::overlay {

namespace at = sys::at;

bool is_whiteout(int dir, const char* name, const struct stat& st, bool marked) noexcept {
  if (S_ISCHR(st.st_mode)) {
    return st.st_rdev == makedev(0, 0);
  }
  if (!marked || !S_ISREG(st.st_mode) || st.st_size != 0) {
    return false;
  }
  const auto fd = at::open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  return fd && (at::get_xattr(fd->get(), "user.overlay.whiteout", {}) ||
                at::get_xattr(fd->get(), "trusted.overlay.whiteout", {}));
}

DirMarks read_dir_marks(int dir) noexcept {
  DirMarks marks;
  for (const char* name :
       {"user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque"}) {
    std::array<std::byte, 4> value;  // NOLINT: filled below
    const auto size = at::get_xattr(dir, name, value);
    if (size && *size == 1) {
      marks.opaque = marks.opaque || value[0] == std::byte{'y'};
      marks.whiteout_files = marks.whiteout_files || value[0] == std::byte{'x'};
    }
  }
  marks.opaque = marks.opaque || at::stat(dir, kOpaqueFile).has_value();
  return marks;
}

const char* find_override_stat(int root) noexcept {
  for (const char* name : {OverrideStat::kXattr, "user.fuseoverlayfs.override_stat",
                           "security.fuseoverlayfs.override_stat"}) {
    if (at::get_xattr(root, name, {})) {
      return name;
    }
  }
  return nullptr;
}

std::optional<OverrideStat> read_override_stat(int fd, const char* name) noexcept {
  std::array<std::byte, 128> value;  // NOLINT: filled below
  const auto size = at::get_xattr(fd, name, value);
  if (!size) {
    return std::nullopt;
  }
  return OverrideStat::parse({reinterpret_cast<const char*>(value.data()), *size});
}

}  // namespace sbx::overlay
