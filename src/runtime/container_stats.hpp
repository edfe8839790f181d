#pragma once

// What a container uses. No container has a cgroup of its own, so this is the sum over its processes, of what /proc says.

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "runtime/containers.hpp"

namespace sbx::runtime {

/// Counters go up as long as the container runs; processes that ended and were not waited for are missing from them, and what they
/// read and wrote.
struct ContainerUse {
  std::uint64_t cpu_ns = 0;
  std::uint64_t memory = 0;   // bytes; of what several share, each has its part
  std::uint64_t threads = 0;  // as docker counts pids
  std::uint64_t network_in = 0;
  std::uint64_t network_out = 0;
  std::uint64_t block_in = 0;  // from disks, not from the page cache
  std::uint64_t block_out = 0;
};

/// The bytes of all interfaces but lo in the text of /proc/PID/net/dev, added to `use`. Pure.
void add_network(std::string_view text, ContainerUse& use);
/// The number behind "KEY:" in texts like those of /proc/PID/io, smaps_rollup and /proc/meminfo; 0: there is none. Pure.
std::uint64_t number_of(std::string_view text, std::string_view key);

/// All zero if it does not run.
Result<ContainerUse> container_use(const std::string& data_root, const Container& container);

/// Bytes of memory of the machine: what limits a container without a cgroup.
std::uint64_t machine_memory();

}  // namespace sbx::runtime
