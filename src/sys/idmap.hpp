#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::sys {

/// One line of /proc/PID/uid_map: `count` ids from `inside` on are the ids from `outside` on in the parent
/// user namespace; see user_namespaces(7).
struct IdExtent {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  friend bool operator==(const IdExtent&, const IdExtent&) = default;
};

/// A range of subordinate ids, as a line of /etc/subuid or /etc/subgid grants it; see subuid(5).
struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};

/// The ranges that `text` (a subuid or subgid file) grants to the user, by name or by number. Lines that are
/// not three fields, or whose numbers overflow, are passed over as shadow's own reader does.
std::vector<IdRange> parse_subids(std::string_view text, std::string_view user, uid_t uid);

/// From /etc/subuid and /etc/subgid. Empty if there is no such file or no such line.
struct SubIds {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
};
SubIds find_subids(std::string_view user, uid_t uid);

/// Where newuidmap and newgidmap are, if both are there; see newuidmap(1).
struct IdMapTools {
  std::string newuidmap;
  std::string newgidmap;
};
std::optional<IdMapTools> find_idmap_tools();

struct IdMaps {
  std::vector<IdExtent> uids;
  std::vector<IdExtent> gids;
};

/// How the maps get into the kernel.
enum class MapWriter {
  kOurselves,  // one id, or we have CAP_SETUID in our own user namespace
  kTools       // through newuidmap and newgidmap, which check /etc/subuid and /etc/subgid
};

/// Writing of the maps of a new user namespace, in two steps so that the caller can work while the two
/// set-uid programs run.
class MapWriting {
 public:
  /// Without the right to map other groups, setgroups(2) is denied first, as the kernel demands.
  static Result<MapWriting> start(pid_t pid, const IdMaps& maps, MapWriter writer,
                                  bool deny_setgroups);
  /// Waits for the tools, if there are any.
  Result<void> finish();

 private:
  struct Tool;
  std::vector<Tool> tools_;

 public:
  MapWriting();
  ~MapWriting();
  MapWriting(MapWriting&&) noexcept;
  MapWriting& operator=(MapWriting&&) noexcept;
};

/// The ids that exist in our own user namespace, from /proc/self/uid_map or gid_map.
Result<std::vector<IdRange>> own_ids(const char* proc_file);

}  // namespace sbx::sys
