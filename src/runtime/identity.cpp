#include "runtime/identity.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sys/caps.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

using sys::IdExtent;
using sys::IdRange;

// Images use ids up to 65534 ("nobody"); a range below that cannot show all of them.
constexpr std::uint32_t kFullRange = 65536;
// The last 65536 ids of those that systemd sets aside for containers (systemd.io/UIDS-GIDS): nobody's.
constexpr std::uint32_t kUnprivilegedRangeOfRoot = 0x6FFF0000;

bool has_range(const std::vector<IdRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [](const IdRange& range) { return range.count > 0; });
}

/// Lays `ranges` end to end from id `inside` on.
void append(std::vector<IdExtent>& extents, std::uint32_t inside,
            const std::vector<IdRange>& ranges) {
  for (const IdRange& range : ranges) {
    const std::uint32_t room = UINT32_MAX - inside;
    const std::uint32_t count = std::min(range.count, room);
    if (count > 0) {
      extents.push_back({inside, range.first, count});
      inside += count;
    }
  }
}

/// Root is the invoker, 1 and up are subordinate ids.
std::vector<IdExtent> root_first(std::uint32_t own, const std::vector<IdRange>& ranges) {
  std::vector<IdExtent> extents{{0, own, 1}};
  append(extents, 1, ranges);
  return extents;
}

/// `own` is called `as`; the ids below and above it are subordinate ones.
std::vector<IdExtent> keep(std::uint32_t own, std::uint32_t as,
                           const std::vector<IdRange>& ranges) {
  std::vector<IdExtent> extents;
  std::uint32_t inside = 0;
  for (IdRange range : ranges) {
    if (inside < as) {
      const std::uint32_t below = std::min(range.count, as - inside);
      extents.push_back({inside, range.first, below});
      inside += below;
      range.first += below;
      range.count -= below;
    }
    if (inside == as) {
      extents.push_back({as, own, 1});
      ++inside;
    }
    if (range.count > 0 && inside > as) {
      extents.push_back({inside, range.first, range.count});
      inside += range.count;
    }
  }
  if (inside <= as) {
    extents.push_back({as, own, 1});  // fewer subordinate ids than its number
  }
  return extents;
}

/// One id, called root or as it is kept.
IdChoice single(const IdFacts& facts, const KeptIds* kept) {
  const std::uint32_t uid = kept != nullptr ? kept->uid.value_or(facts.uid) : 0;
  IdChoice choice;
  choice.single = true;
  choice.identities.maps.uids = {{uid, facts.uid, 1}};
  choice.identities.maps.gids = {
      {kept != nullptr ? kept->gid.value_or(facts.gid) : 0, facts.gid, 1}};
  choice.identities.writer = sys::MapWriter::kOurselves;
  // setgroups(2) must be denied before an unprivileged process may write gid_map; user_namespaces(7).
  choice.identities.deny_setgroups = !facts.privileged || facts.setgroups_denied;
  choice.identities.become_root = uid == 0;
  return choice;
}

/// For root: 65536 ids that are nobody's. In the first user namespace a fixed range; in one of ours
/// (nested) what is there besides 0.
std::optional<IdRange> range_for_root(const std::vector<IdRange>& own,
                                      const std::vector<IdRange>& granted) {
  if (has_range(granted)) {
    return granted.front();
  }
  for (const IdRange& range : own) {
    const std::uint64_t end = std::uint64_t{range.first} + range.count;
    if (range.first <= kUnprivilegedRangeOfRoot &&
        end >= std::uint64_t{kUnprivilegedRangeOfRoot} + kFullRange) {
      return IdRange{kUnprivilegedRangeOfRoot, kFullRange};
    }
  }
  for (const IdRange& range : own) {
    const std::uint32_t first = std::max(range.first, 1U);
    const std::uint64_t end = std::uint64_t{range.first} + range.count;
    if (end > first + 1) {
      return IdRange{first, static_cast<std::uint32_t>(end - first)};
    }
  }
  return std::nullopt;
}

Result<IdChoice> for_root(const IdFacts& facts, UserNamespaceMode mode, const KeptIds* kept) {
  const std::optional<IdRange> uids = range_for_root(facts.own_uids, facts.subordinate.uids);
  const std::optional<IdRange> gids = range_for_root(facts.own_gids, facts.subordinate.gids);
  if (!uids || !gids) {
    return single(facts, kept);
  }
  if (kept != nullptr) {
    return fail(Error::make(ErrorCode::kUnsupported, "keep the invoker's id", "",
                            "root is never mapped to root of a sandbox")
                    .with_hint("start sbx as an ordinary user, or leave out --userns=keep-id"));
  }
  IdChoice choice;
  choice.identities.maps.uids = {{0, uids->first, uids->count}};
  choice.identities.maps.gids = {{0, gids->first, gids->count}};
  if (mode == UserNamespaceMode::kSingle) {
    choice.single = true;
    choice.identities.maps = {{{0, uids->first, 1}}, {{0, gids->first, 1}}};
  }
  choice.identities.writer = sys::MapWriter::kOurselves;
  choice.identities.deny_setgroups = facts.setgroups_denied;
  return choice;
}

std::string why_not_full(const IdFacts& facts) {
  if (!has_range(facts.subordinate.uids)) {
    return "/etc/subuid grants none to this user";
  }
  if (!has_range(facts.subordinate.gids)) {
    return "/etc/subgid grants none to this user";
  }
  return facts.has_tools ? "" : "newuidmap is not installed";
}

}  // namespace

Result<IdFacts> find_id_facts(const sys::Invoker& who, UserNamespaceMode mode) {
  IdFacts facts;
  facts.uid = who.uid;
  facts.gid = who.gid;
  const sys::CapabilityMask wanted = SBX_TRY(sys::capabilities({"setuid", "setgid"}));
  facts.privileged = (sys::own_capabilities() & wanted) == wanted;
  facts.setgroups_denied =
      sys::read_file_at(AT_FDCWD, "/proc/self/setgroups", 16).value_or("").starts_with("deny");
  if (mode == UserNamespaceMode::kSingle && !facts.privileged) {
    return facts;
  }
  facts.subordinate = sys::find_subids(who.name, who.uid);
  facts.has_tools = sys::find_idmap_tools().has_value();
  if (facts.privileged) {
    facts.own_uids = SBX_TRY(sys::own_ids("/proc/self/uid_map"));
    facts.own_gids = SBX_TRY(sys::own_ids("/proc/self/gid_map"));
  }
  return facts;
}

Result<IdChoice> plan_identities(const IdFacts& facts, UserNamespaceMode mode,
                                 const KeptIds& kept_ids) {
  const KeptIds* kept = mode == UserNamespaceMode::kKeepId ? &kept_ids : nullptr;
  if (facts.privileged) {
    return for_root(facts, mode, kept);
  }
  if (mode == UserNamespaceMode::kSingle) {
    return single(facts, nullptr);
  }
  const std::string missing = why_not_full(facts);
  if (!missing.empty()) {
    if (mode == UserNamespaceMode::kFull) {
      return fail(
          Error::make(ErrorCode::kUnsupported, "map a full range of ids", "", missing)
              .with_hint(
                  "'sbx doctor' tells how to get subordinate ids; --userns=single does without"));
    }
    return single(facts, kept);
  }
  IdChoice choice;
  choice.identities.writer = sys::MapWriter::kTools;
  choice.identities.deny_setgroups = false;
  if (kept != nullptr) {
    choice.identities.maps = {
        keep(facts.uid, kept->uid.value_or(facts.uid), facts.subordinate.uids),
        keep(facts.gid, kept->gid.value_or(facts.gid), facts.subordinate.gids)};
    choice.identities.become_root = choice.identities.maps.uids.front().inside == 0;
  } else {
    choice.identities.maps = {root_first(facts.uid, facts.subordinate.uids),
                              root_first(facts.gid, facts.subordinate.gids)};
  }
  return choice;
}

}  // namespace sbx::runtime
