#include "sys/probe.hpp"

namespace sbx::sys {

std::vector<Fact> probe_host(const ProbeRequest& request) {
  return {probe_kernel(),
          probe_user_namespaces(),
          probe_subordinate_ids(request.who),
          probe_idmap_tools(request.who),
          probe_fuse(),
          probe_overlay(request.data_root),
          probe_store(request.data_root),
          probe_tun(),
          probe_resolver(),
          probe_ping(request.who),
          probe_seccomp(),
          probe_landlock(),
          probe_cgroup(),
          probe_limits()};
}

}  // namespace sbx::sys
