#include "runtime/container_processes.hpp"

#include <unistd.h>

#include <set>
#include <string>

namespace sbx::runtime {
namespace {

/// Those below `first`, and itself. A child has a larger number than its parent only until numbers begin anew, so this goes on until
/// nothing is added.
std::set<pid_t> family_of(pid_t first, const std::vector<sys::ProcessStat>& all) {
  std::set<pid_t> out{first};
  for (std::size_t before = 0; before != out.size();) {
    before = out.size();
    for (const sys::ProcessStat& one : all) {
      if (out.count(one.parent) != 0) {
        out.insert(one.pid);
      }
    }
  }
  return out;
}

/// The pid namespace of one of them; empty if none tells: PID 1 may be a copy of us that nobody may look into.
std::string namespace_of(const std::set<pid_t>& family) {
  const std::string ours = sys::pid_namespace_of(::getpid());
  for (const pid_t pid : family) {
    const std::string found = sys::pid_namespace_of(pid);
    if (!found.empty() && found != ours) {
      return found;
    }
  }
  return "";
}

}  // namespace

Result<std::vector<sys::ProcessStat>> container_processes(const Container& container,
                                                          bool own_init) {
  const std::vector<sys::ProcessStat> all = SBX_TRY(sys::all_processes());
  const pid_t first = container.state.init.pid;
  (void)SBX_TRY(sys::open_process(container.state.init));  // its number is still its own
  const std::set<pid_t> family = family_of(first, all);
  const std::string inside = namespace_of(family);
  std::vector<sys::ProcessStat> out;
  for (const sys::ProcessStat& one : all) {
    const bool here =
        family.count(one.pid) != 0 || (!inside.empty() && sys::pid_namespace_of(one.pid) == inside);
    if (here && !(own_init && one.pid == first)) {
      out.push_back(one);
    }
  }
  return out;
}

}  // namespace sbx::runtime
