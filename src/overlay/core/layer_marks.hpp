#pragma once

#include <sys/stat.h>

#include <optional>
#include <string_view>

#include "overlay/core/override_stat.hpp"
#include "overlay/core/types.hpp"

namespace sbx::overlay {

// What directories of an overlay say about what lies below them, in every form in use: the kernel's, with and without
// "userxattr" (Documentation/filesystems/overlayfs.rst), fuse-overlayfs's, and that of image layers unpacked as they are.

/// A file of this name and NAME behind it hides NAME in the layers below.
inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
/// Its presence hides everything that the layers below have in this directory.
inline constexpr const char* kOpaqueFile = ".wh..wh..opq";

[[nodiscard]] inline bool is_whiteout_name(std::string_view name) {
  return name.starts_with(kWhiteoutPrefix);
}

/// Whether the entry `name` of `dir`, of which `st` is known, hides what is below it. `marked`: `dir` may hold whiteouts
/// that are empty files with an attribute (Linux 6.7).
[[nodiscard]] bool is_whiteout(int dir, const char* name, const struct stat& st,
                               bool marked) noexcept;

struct DirMarks {
  bool opaque = false;          // nothing shows through
  bool whiteout_files = false;  // there may be whiteouts that are files with an attribute
};
/// Of an open directory. What cannot be read is not there.
[[nodiscard]] DirMarks read_dir_marks(int dir) noexcept;

/// The attribute by which the files of a layer tell their owners and modes, as its root directory has it; else null.
[[nodiscard]] const char* find_override_stat(int root) noexcept;
/// Nothing if there is none or if it is malformed.
[[nodiscard]] std::optional<OverrideStat> read_override_stat(int fd, const char* name) noexcept;

}  // namespace sbx::overlay
