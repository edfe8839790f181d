#include "layer/squash_xattrs.hpp"

#include <algorithm>
#include <array>

namespace sbx::layer {

Result<void> SquashXattrs::load(const TreeLimits& limits) {
  if (super_.xattrs == squash::kNoTable) {
    return {};
  }
  squash::XattrTable table{};
  SBX_TRY(tables_.read_plain(super_.xattrs, std::as_writable_bytes(std::span(&table, 1))));
  if (table.count > limits.entries) {
    return fail(Error::make(ErrorCode::kLimit, "read squashfs", "", "it has too many attributes"));
  }
  start_ = table.start;
  ids_ = SBX_TRY(tables_.table<squash::XattrId>(super_.xattrs + sizeof table, table.count));
  return {};
}

Result<void> SquashXattrs::go_to(SquashMeta& meta, std::uint64_t ref) {
  // The table begins in the file and the reference has 48 bits: the sum cannot overflow.
  if (start_ >= super_.bytes_used || ref >> 48U != 0) {
    return fail(squash_damaged("an extended attribute lies outside of it"));
  }
  return meta.seek(start_ + (ref >> 16U), static_cast<std::uint32_t>(ref & 0xFFFFU));
}

Result<std::string> SquashXattrs::read_value(SquashMeta& from) {
  const auto size = SBX_TRY(from.get<std::uint32_t>());
  if (size > kMaxXattrValue) {
    return fail(squash_damaged("the value of an extended attribute is too long"));
  }
  std::string value(size, '\0');
  SBX_TRY(from.read(std::as_writable_bytes(std::span(value))));
  return value;
}

Result<void> SquashXattrs::read(std::uint32_t id, TarEntry& entry) {
  if (id == squash::kNoXattrs) {
    return {};
  }
  if (id >= ids_.size() || ids_[id].count > kMaxXattrs) {
    return fail(squash_damaged("its extended attributes are not in the table"));
  }
  SBX_TRY(go_to(tables_, ids_[id].ref));
  for (std::uint32_t i = 0; i < ids_[id].count; ++i) {
    constexpr std::array kPrefixes{"user.", "trusted.", "security."};
    const auto key = SBX_TRY(tables_.get<squash::XattrKey>());
    const std::size_t prefix = key.type & 0xFFU;
    if (prefix >= kPrefixes.size() || key.size == 0 || key.size > kMaxXattrName) {
      return fail(squash_damaged("the name of an extended attribute is none"));
    }
    std::string rest(key.size, '\0');
    SBX_TRY(tables_.read(std::as_writable_bytes(std::span(rest))));
    std::string name = kPrefixes[prefix] + rest;
    const bool known = std::any_of(entry.xattrs.begin(), entry.xattrs.end(),
                                   [&](const auto& xattr) { return xattr.first == name; });
    if (known || name.size() > kMaxXattrName || name.find('\0') != std::string::npos) {
      return fail(squash_damaged("the name of an extended attribute is none"));
    }
    std::string value = SBX_TRY(read_value(tables_));
    if ((key.type & squash::kXattrElsewhere) != 0) {
      std::uint64_t ref = 0;
      if (value.size() != sizeof ref) {
        return fail(squash_damaged("the place of an extended attribute is none"));
      }
      std::copy(value.begin(), value.end(), reinterpret_cast<char*>(&ref));
      SBX_TRY(go_to(values_, ref));
      value = SBX_TRY(read_value(values_));
    }
    entry.xattrs.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace sbx::layer
