#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::layer {

/// Seconds and nanoseconds, the latter never negative: -0.25 is {-1, 750000000}.
struct TarTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};

/// What a PAX extended header (pax(1), types 'x' and 'g') says about the next entry.
struct PaxHeader {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> gid;
  std::optional<TarTime> mtime;
  std::map<std::string, std::string> xattrs;

  // GNU sparse formats 0.0, 0.1 and 1.0.
  std::optional<std::int64_t> sparse_major;
  std::optional<std::int64_t> sparse_minor;
  std::optional<std::string> sparse_name;
  std::optional<std::int64_t> sparse_real_size;
  std::vector<std::int64_t> sparse_numbers;  // offset and length by turns
};

/// The largest extended header taken; Go's archive/tar, which docker reads with, has the same limit.
inline constexpr std::size_t kMaxPaxSize = 1U << 20U;

/// Strict: kCorrupt for a record that does not end where it says, a NUL in a path, a number that is none;
/// kLimit for too many or too large xattrs. Unknown keywords are skipped.
Result<PaxHeader> parse_pax(std::string_view body);

/// A global header's values beneath those of the entry itself. `global` gives owner, time and xattrs only.
void merge_global(const PaxHeader& global, PaxHeader& entry);

/// Decimal, optionally with a minus and a fraction; more than nine digits of fraction are cut off.
std::optional<TarTime> parse_pax_time(std::string_view text);

}  // namespace sbx::layer
