#pragma once

// OCI runtime configuration -> Plan: what the stage will do, step by step. Pure but for looking at bind sources.

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"
#include "runtime/identity.hpp"
#include "sandbox/plan.hpp"

namespace sbx::runtime {

struct PlanInput {
  const oci::RuntimeSpec& spec;
  const IdChoice& ids;
  NetworkMode network = NetworkMode::kSlirp;
  std::string container_id;
  std::string root_point;
  std::string volumes_directory;  // of the host
  std::string etc_directory;      // sources below it are files that are written before the start
  bool init = true;
  bool etc_in_memory = false;  // they are copied: only the invoker may read them where they lie
};

Result<sandbox::Plan> make_plan(const PlanInput& input);

/// The paths that execvp(3) would try for `name` with this environment.
std::vector<std::string> command_candidates(const std::string& name,
                                            const std::vector<std::string>& environment);

}  // namespace sbx::runtime
