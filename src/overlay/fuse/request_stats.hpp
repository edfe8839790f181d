#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace sbx::overlay {

/// What one kind of request cost.
struct RequestStat {
  std::uint64_t count = 0;
  std::uint64_t ns =
      0;  // from read to answered, the server's work only; 0 if nobody asked for times
};

/// By FUSE opcode (enum fuse_opcode of <linux/fuse.h>); what is beyond the end counts as the last.
using RequestStats = std::array<RequestStat, 64>;

void add(RequestStats& sum, const RequestStats& part) noexcept;

/// A table of what came, the most frequent first, with the sum at its end.
std::string table(const RequestStats& stats);

/// The opcode's name as in FUSE's protocol, without the prefix: "LOOKUP"; its number if it has none here.
std::string request_name(std::uint32_t opcode);

}  // namespace sbx::overlay
