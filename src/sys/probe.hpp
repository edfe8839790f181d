#pragma once

// What this machine can do for sandboxes, found out by trying. One list for three readers: `sbx doctor`, the hints
// of errors, and the tests' reasons to skip; so all say the same words.

#include <string>
#include <vector>

#include "sys/xdg.hpp"

namespace sbx::sys {

enum class FactStatus {
  kOk,
  kDegraded,  // sandboxes run, but something is slower or missing in them
  kMissing    // what `consequence` says does not work at all
};

/// One finding. `found` is one line; `consequence` and `remedy` are empty if all is well. `remedy` is one command for a shell wherever
/// there is one.
struct Fact {
  std::string id;     // stable, lower case, e.g. "userns"
  std::string title;  // for people, e.g. "user namespaces"
  FactStatus status = FactStatus::kOk;
  std::string found;
  std::string consequence;
  std::string remedy;
  bool essential = false;  // no sandbox of any kind runs while it is missing
};

struct ProbeRequest {
  Invoker who;
  std::string data_root;  // where images and containers are or will be kept
};

/// Every fact, in the order of what depends on what. Takes some 100 ms. Each probe runs in a process of its own that
/// is killed after five seconds: none can hang the caller or leave something behind. The caller must have one thread.
std::vector<Fact> probe_host(const ProbeRequest& request);

// One by one. Namespaces, mounts and devices are really made and go away with the probing process.
Fact probe_kernel();
Fact probe_user_namespaces();
Fact probe_subordinate_ids(const Invoker& who);
Fact probe_idmap_tools(const Invoker& who);
Fact probe_fuse();
Fact probe_tun();
Fact probe_overlay(const std::string& data_root);
Fact probe_store(const std::string& data_root);
Fact probe_cgroup();
Fact probe_seccomp();
Fact probe_landlock();
Fact probe_limits();
Fact probe_ping(const Invoker& who);
Fact probe_resolver();

}  // namespace sbx::sys
