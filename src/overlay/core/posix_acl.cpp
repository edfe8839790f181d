#include "overlay/core/posix_acl.hpp"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <algorithm>

namespace sbx::overlay {

namespace {

constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kEntryBytes = 8;
constexpr std::uint32_t kNobody = 0xffffffff;  // ACL_UNDEFINED_ID
constexpr std::size_t kMostBytes = 4096;       // fs/fuse/acl.c reads a page at most

/// Little-endian, whatever the machine.
std::uint32_t number(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
  }
  return value;
}

void put(std::string& out, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

bool names_somebody(std::uint16_t tag) { return tag == ACL_USER || tag == ACL_GROUP; }

}  // namespace

std::optional<PosixAcl> PosixAcl::parse(std::span<const std::byte> value) noexcept {
  if (value.size() < kHeadBytes || value.size() > kMostBytes ||
      (value.size() - kHeadBytes) % kEntryBytes != 0 ||
      number(value.first(kHeadBytes)) != POSIX_ACL_XATTR_VERSION) {
    return std::nullopt;
  }
  PosixAcl acl;
  for (auto rest = value.subspan(kHeadBytes); !rest.empty(); rest = rest.subspan(kEntryBytes)) {
    acl.entries_.push_back({static_cast<std::uint16_t>(number(rest.first(2))),
                            static_cast<std::uint16_t>(number(rest.subspan(2, 2))),
                            number(rest.subspan(4, 4))});
  }
  return acl.whole() ? std::optional(std::move(acl)) : std::nullopt;
}

bool PosixAcl::whole() const {
  constexpr std::uint16_t kAll = ACL_READ | ACL_WRITE | ACL_EXECUTE;
  const auto count = [&](std::uint16_t tag) {
    return std::ranges::count_if(entries_, [&](const Entry& entry) { return entry.tag == tag; });
  };
  // The tags are numbered in the order that the kernel wants.
  const bool sorted = std::ranges::is_sorted(entries_, {}, &Entry::tag);
  const bool known = std::ranges::all_of(entries_, [&](const Entry& entry) {
    return (entry.permissions & ~kAll) == 0 &&
           (entry.tag == ACL_USER_OBJ || entry.tag == ACL_GROUP_OBJ || entry.tag == ACL_MASK ||
            entry.tag == ACL_OTHER || names_somebody(entry.tag));
  });
  const bool named = count(ACL_USER) + count(ACL_GROUP) != 0;
  return sorted && known && count(ACL_USER_OBJ) == 1 && count(ACL_GROUP_OBJ) == 1 &&
         count(ACL_OTHER) == 1 && (count(ACL_MASK) == 1 || (count(ACL_MASK) == 0 && !named));
}

std::string PosixAcl::format() const {
  std::string out;
  put(out, POSIX_ACL_XATTR_VERSION, kHeadBytes);
  for (const Entry& entry : entries_) {
    put(out, entry.tag, 2);
    put(out, entry.permissions, 2);
    put(out, names_somebody(entry.tag) ? entry.id : kNobody, 4);
  }
  return out;
}

const PosixAcl::Entry* PosixAcl::find(std::uint16_t tag) const {
  const auto found = std::ranges::find(entries_, tag, &Entry::tag);
  return found == entries_.end() ? nullptr : &*found;
}

std::uint16_t& PosixAcl::permissions(std::uint16_t tag) {
  return std::ranges::find(entries_, tag, &Entry::tag)->permissions;
}

std::uint16_t PosixAcl::group_tag() const {
  return find(ACL_MASK) != nullptr ? ACL_MASK : ACL_GROUP_OBJ;
}

std::uint32_t PosixAcl::mode() const {
  return (std::uint32_t{find(ACL_USER_OBJ)->permissions} << 6U) |
         (std::uint32_t{find(group_tag())->permissions} << 3U) | find(ACL_OTHER)->permissions;
}

void PosixAcl::set_mode(std::uint32_t mode) {
  permissions(ACL_USER_OBJ) = static_cast<std::uint16_t>((mode >> 6U) & 7U);
  permissions(group_tag()) = static_cast<std::uint16_t>((mode >> 3U) & 7U);
  permissions(ACL_OTHER) = static_cast<std::uint16_t>(mode & 7U);
}

std::uint32_t PosixAcl::inherit(std::uint32_t mode) {
  set_mode(this->mode() & mode);
  return (mode & ~0777U) | this->mode();
}

void PosixAcl::map_ids(const IdMap& user, const IdMap& group) {
  std::vector<Entry> kept;
  for (Entry entry : entries_) {
    if (names_somebody(entry.tag)) {
      const auto id = (entry.tag == ACL_USER ? user : group)(entry.id);
      if (!id || std::ranges::any_of(kept, [&](const Entry& other) {
            return other.tag == entry.tag && other.id == *id;
          })) {
        continue;
      }
      entry.id = *id;
    }
    kept.push_back(entry);
  }
  entries_ = std::move(kept);
}

}  // namespace sbx::overlay
