#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/core/types.hpp"

namespace sbx::overlay {

/// The extended attributes that are ACLs.
inline constexpr std::string_view kAccessAcl = "system.posix_acl_access";
inline constexpr std::string_view kDefaultAcl = "system.posix_acl_default";

[[nodiscard]] constexpr bool is_acl(std::string_view name) {
  return name == kAccessAcl || name == kDefaultAcl;
}

/// A POSIX ACL, see acl(5): always one that says what owner, group and others may, and with a mask if it names anybody.
class PosixAcl {
 public:
  /// From the form of an extended attribute (version 2, <linux/posix_acl_xattr.h>). Nothing for what is no whole ACL, or one
  /// that is too large for the kernel's FUSE (a page).
  static std::optional<PosixAcl> parse(std::span<const std::byte> value) noexcept;
  [[nodiscard]] std::string format() const;

  /// The nine mode bits that go with it.
  [[nodiscard]] std::uint32_t mode() const;
  /// As chmod(2) does: owner, others, and the mask or else the group.
  void set_mode(std::uint32_t mode);
  /// Whether it says no more than mode() does.
  [[nodiscard]] bool is_mode() const { return entries_.size() == 3; }
  /// For a new file that is wished with `mode`, whose directory has this as default: becomes its ACL; its mode is returned, the
  /// bits above 0777 as wished.
  std::uint32_t inherit(std::uint32_t mode);

  using IdMap = std::function<std::optional<std::uint32_t>(std::uint32_t)>;
  /// Renames who is named; who has no name on the other side, or a second time the same, is left out.
  void map_ids(const IdMap& user, const IdMap& group);

 private:
  struct Entry {
    std::uint16_t tag = 0;
    std::uint16_t permissions = 0;
    std::uint32_t id = 0;
  };
  [[nodiscard]] bool whole() const;
  [[nodiscard]] std::uint16_t& permissions(std::uint16_t tag);
  [[nodiscard]] const Entry* find(std::uint16_t tag) const;
  /// What the group's mode bits stand for.
  [[nodiscard]] std::uint16_t group_tag() const;

  std::vector<Entry> entries_;  // in the order of acl(5)
};

}  // namespace sbx::overlay
