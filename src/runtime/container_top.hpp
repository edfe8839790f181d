#pragma once

// `top`: the processes of a container in docker's columns or podman's, read from /proc; neither ps of the host nor of the image runs.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/containers.hpp"
#include "sys/process_stat.hpp"

namespace sbx::runtime {

/// What a field may be asked for.
struct TopProcess {
  sys::ProcessStat stat;
  sys::ProcessStatus status;
  std::string command;
  pid_t pid = 0;  // inside; so are the following
  pid_t parent = 0;
  std::string user;
  std::string real_user;
  std::string group;
  std::string real_group;
};

/// The time at which all of it was looked at.
struct TopClock {
  double boot_seconds = 0;  // since boot
  std::int64_t now = 0;     // since 1970
  std::uint64_t ticks = 100;
};

/// A table, headings first.
using TopTable = std::vector<std::vector<std::string>>;

/// The heading of a descriptor ("pid"; docker's columns have names of our own, "docker.pid"); empty if there is none. Pure.
std::string_view top_heading(std::string_view descriptor);
/// Pure. `descriptor` has a heading.
std::string top_field(std::string_view descriptor, const TopProcess& process,
                      const TopClock& clock);

/// The name of an id in the text of a passwd or group file; the number if it has none. Pure.
std::string name_of_id(std::string_view accounts, std::uint32_t id);

/// `words`: descriptors, by themselves or several with commas; none: docker's columns, which show the host's numbers. kBusy if the
/// container does not run. The caller must have one thread.
Result<TopTable> container_top(const std::string& data_root, const Container& container,
                               const std::vector<std::string>& words);

}  // namespace sbx::runtime
