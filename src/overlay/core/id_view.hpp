#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/core/types.hpp"

namespace sbx::overlay {

/// Who owns what, in three countings: as the lower tree has it, as the upper directory stores it (the
/// sandbox's own ids), and as it is served. The kernel knows no ids outside the sandbox's user namespace:
/// an inode with one of those cannot be changed (EOVERFLOW), so they are served as the overflow id.
class IdView {
 public:
  /// From `first`, `count` ids that the sandbox's user namespace maps.
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  /// Ids of the lower tree that mean another id inside the sandbox.
  struct Alias {
    std::uint32_t lower = 0;
    std::uint32_t sandbox = 0;
  };

  /// Owners are served as the image has them.
  static IdView full(std::vector<Range> uids, std::vector<Range> gids);
  /// One id: everything is served as owned by `all`. What is stored stays as wished.
  static IdView squash(Owner all);
  /// As full; in the lower tree, the invoking user's ids count as the sandbox user's.
  static IdView host(std::vector<Range> uids, std::vector<Range> gids, Alias user, Alias group);

  /// From `disk` on, `count` ids of both trees that are called `served` and following.
  struct Map {
    std::uint32_t disk = 0;
    std::uint32_t served = 0;
    std::uint32_t count = 0;
  };
  struct Mapped {
    std::vector<Map> uids;  // empty: as they are
    std::vector<Map> gids;
    std::optional<std::uint32_t> all_uid;  // everything is served as this
    std::optional<std::uint32_t> all_gid;
  };
  /// Both trees count alike, and not as the kernel does.
  static IdView mapped(Mapped maps);

  /// What is to be stored for an owner that the kernel names.
  [[nodiscard]] Owner stored(Owner owner) const noexcept;
  /// What an owner in the lower tree is called inside the sandbox.
  [[nodiscard]] Owner from_lower(Owner owner) const noexcept;
  /// What the kernel is told for an owner as stored.
  [[nodiscard]] Owner served(Owner owner) const noexcept;
  /// What the kernel is told for an id as stored that an ACL names; nothing if it has none of its own.
  [[nodiscard]] std::optional<std::uint32_t> find_served_uid(std::uint32_t uid) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> find_served_gid(std::uint32_t gid) const noexcept;
  /// Whether chown to this id can be answered.
  [[nodiscard]] bool squashes() const noexcept { return squash_.has_value(); }

  static constexpr std::uint32_t kOverflow = 65534;  // /proc/sys/kernel/overflowuid

 private:
  std::vector<Range> uids_;
  std::vector<Range> gids_;
  std::optional<Owner> squash_;
  std::optional<Alias> user_;
  std::optional<Alias> group_;
  std::optional<Mapped> mapped_;
};

}  // namespace sbx::overlay
