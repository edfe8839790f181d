#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "overlay/core/types.hpp"

namespace sbx::overlay {

/// What the sandbox sees as owner, mode and device number of a file that on disk belongs to the invoking
/// user. In the form of containers/storage and fuse-overlayfs: "UID:GID:MODE[:TYPE]", MODE octal with a
/// leading 0, TYPE one of file, dir, symlink, pipe, socket, block-MAJOR-MINOR, char-MAJOR-MINOR.
struct OverrideStat {
  static constexpr const char* kXattr = "user.containers.override_stat";

  Owner owner;
  std::uint32_t permissions = 0;  // 07777
  std::uint32_t type = 0;         // S_IFMT; 0: whatever the file on disk is
  std::uint64_t rdev = 0;

  /// The type is written only for what is not a plain file or directory, as older readers know no types.
  [[nodiscard]] std::string format() const;
  /// Nothing for what is not of this form.
  static std::optional<OverrideStat> parse(std::string_view text) noexcept;

  friend bool operator==(const OverrideStat&, const OverrideStat&) = default;
};

}  // namespace sbx::overlay
