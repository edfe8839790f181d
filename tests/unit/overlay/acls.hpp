#pragma once

// ACLs in the form of an extended attribute.

#include <cstdint>
#include <string>
#include <vector>

namespace sbx::overlay::test {

inline constexpr std::uint32_t kUserObj = 1;
inline constexpr std::uint32_t kUser = 2;
inline constexpr std::uint32_t kGroupObj = 4;
inline constexpr std::uint32_t kGroup = 8;
inline constexpr std::uint32_t kMask = 16;
inline constexpr std::uint32_t kOther = 32;

struct AclEntry {
  std::uint32_t tag;
  std::uint32_t permissions;
  std::uint32_t id = 0xffffffff;
};

inline std::string acl_value(const std::vector<AclEntry>& entries) {
  std::string out{'\2', '\0', '\0', '\0'};
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      out.push_back(static_cast<char>(value >> (8 * i)));
    }
  };
  for (const AclEntry& entry : entries) {
    put(entry.tag, 2);
    put(entry.permissions, 2);
    put(entry.id, 4);
  }
  return out;
}

}  // namespace sbx::overlay::test
