#include "overlay/core/id_view.hpp"

#include <algorithm>

namespace sbx::overlay {

namespace {

bool has(const std::vector<IdView::Range>& ranges, std::uint32_t id) noexcept {
  return std::ranges::any_of(ranges, [&](const IdView::Range& range) {
    return id >= range.first && id - range.first < range.count;
  });
}

std::uint32_t clamp(std::uint32_t id, const std::vector<IdView::Range>& ranges) noexcept {
  return has(ranges, id) ? id : IdView::kOverflow;
}

/// From one side of the maps to the other.
std::uint32_t across(std::uint32_t id, const std::vector<IdView::Map>& maps,
                     std::uint32_t IdView::Map::*from, std::uint32_t IdView::Map::*to) noexcept {
  if (maps.empty()) {
    return id;
  }
  for (const IdView::Map& map : maps) {
    if (id >= map.*from && id - map.*from < map.count) {
      return map.*to + (id - map.*from);
    }
  }
  return IdView::kOverflow;
}

/// Of both trees alike. Where all are called one, who is named cannot be told from the owner.
std::optional<std::uint32_t> find_mapped(std::uint32_t id, const std::vector<IdView::Map>& maps,
                                         std::optional<std::uint32_t> all) noexcept {
  const bool named = maps.empty() || std::ranges::any_of(maps, [&](const IdView::Map& map) {
                       return id >= map.disk && id - map.disk < map.count;
                     });
  return named && !all ? std::optional(across(id, maps, &IdView::Map::disk, &IdView::Map::served))
                       : std::nullopt;
}

}  // namespace

IdView IdView::mapped(Mapped maps) {
  IdView view;
  view.mapped_ = std::move(maps);
  return view;
}

Owner IdView::stored(Owner owner) const noexcept {
  if (!mapped_) {
    return owner;
  }
  return {across(owner.uid, mapped_->uids, &Map::served, &Map::disk),
          across(owner.gid, mapped_->gids, &Map::served, &Map::disk)};
}

IdView IdView::full(std::vector<Range> uids, std::vector<Range> gids) {
  IdView view;
  view.uids_ = std::move(uids);
  view.gids_ = std::move(gids);
  return view;
}

IdView IdView::squash(Owner all) {
  IdView view;
  view.squash_ = all;
  return view;
}

IdView IdView::host(std::vector<Range> uids, std::vector<Range> gids, Alias user, Alias group) {
  IdView view = full(std::move(uids), std::move(gids));
  view.user_ = user;
  view.group_ = group;
  return view;
}

Owner IdView::from_lower(Owner owner) const noexcept {
  if (user_ && owner.uid == user_->lower) {
    owner.uid = user_->sandbox;
  }
  if (group_ && owner.gid == group_->lower) {
    owner.gid = group_->sandbox;
  }
  return owner;
}

Owner IdView::served(Owner owner) const noexcept {
  if (squash_) {
    return *squash_;
  }
  if (mapped_) {
    return {mapped_->all_uid.value_or(across(owner.uid, mapped_->uids, &Map::disk, &Map::served)),
            mapped_->all_gid.value_or(across(owner.gid, mapped_->gids, &Map::disk, &Map::served))};
  }
  return {clamp(owner.uid, uids_), clamp(owner.gid, gids_)};
}

std::optional<std::uint32_t> IdView::find_served_uid(std::uint32_t uid) const noexcept {
  if (squash_) {
    return uid == squash_->uid ? std::optional(uid) : std::nullopt;
  }
  return mapped_           ? find_mapped(uid, mapped_->uids, mapped_->all_uid)
         : has(uids_, uid) ? std::optional(uid)
                           : std::nullopt;
}

std::optional<std::uint32_t> IdView::find_served_gid(std::uint32_t gid) const noexcept {
  if (squash_) {
    return gid == squash_->gid ? std::optional(gid) : std::nullopt;
  }
  return mapped_           ? find_mapped(gid, mapped_->gids, mapped_->all_gid)
         : has(gids_, gid) ? std::optional(gid)
                           : std::nullopt;
}

}  // namespace sbx::overlay
