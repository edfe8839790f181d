#pragma once

// Which containers may use one mount of an image: those for which all of this is equal. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sys/idmap.hpp"

namespace sbx::runtime {

struct ShareFacts {
  std::string program;  // sys::identity_of() ours: another version serves in another way
  std::string
      stores;  // where the image is looked for: what one says of an image, another need not say
  std::string image;  // RootSource::identity()
  bool acls = false;
  sys::IdMaps maps;    // owners are served as they are called inside
  std::string cgroup;  // /proc/self/cgroup: who is killed with us, by a job's or a service's end
  /// Of ours, as the kernel holds all below a user namespace to what its maker had; setrlimit(2): processes, message queues, pending
  /// signals, locked memory.
  std::vector<std::uint64_t> limits;
};

/// All of it as text, for comparing.
std::string share_key(const ShareFacts& facts);

/// A file name for it; two keys may have the same.
std::string share_name(std::string_view key);

/// The cgroups of `text` without the last level where Slurm gives each task of a step one: they end together.
std::string cgroup_that_ends(std::string_view text);

/// The ids of `maps` for a user namespace inside of one that has them: each is called the same in both.
sys::IdMaps inside_maps(const sys::IdMaps& maps);

}  // namespace sbx::runtime
