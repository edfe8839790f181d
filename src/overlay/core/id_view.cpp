#include "overlay/core/id_view.hpp"

#include <algorithm>

namespace sbx::overlay {

namespace {

std::uint32_t clamp(std::uint32_t id, const std::vector<IdView::Range>& ranges) noexcept {
  const bool mapped = std::ranges::any_of(ranges, [&](const IdView::Range& range) {
    return id >= range.first && id - range.first < range.count;
  });
  return mapped ? id : IdView::kOverflow;
}

}  // namespace

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
  return {clamp(owner.uid, uids_), clamp(owner.gid, gids_)};
}

}  // namespace sbx::overlay
