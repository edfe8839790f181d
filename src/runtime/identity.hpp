#pragma once

// Which ids a sandbox has, and how they get into the kernel. Pure: everything about the machine is in IdFacts.

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "runtime/run_request.hpp"
#include "sandbox/plan.hpp"
#include "sys/idmap.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

/// What the machine grants.
struct IdFacts {
  uid_t uid = 0;
  gid_t gid = 0;
  bool privileged =
      false;  // CAP_SETUID and CAP_SETGID in our own user namespace: started by (a) root
  bool setgroups_denied =
      false;  // for good, by whoever made our user namespace: another sandbox of one id
  bool has_tools = false;  // newuidmap and newgidmap
  sys::SubIds subordinate;
  std::vector<sys::IdRange> own_uids;  // what exists in our user namespace
  std::vector<sys::IdRange> own_gids;
};

/// Reads them from the machine; only what `mode` needs.
Result<IdFacts> find_id_facts(const sys::Invoker& who, UserNamespaceMode mode);

struct IdChoice {
  sandbox::Identities identities;
  bool single = false;  // one id only: every owner shows as it
};

/// kUnsupported if a full range was asked for and is not there. With kAuto, what there is decides. `kept`: with kKeepId.
Result<IdChoice> plan_identities(const IdFacts& facts, UserNamespaceMode mode,
                                 const KeptIds& kept = {});

}  // namespace sbx::runtime
