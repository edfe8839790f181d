#pragma once

// Everything that is known of a container before anything of it is made: from a request, or from what an earlier one left.

#include <string>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"
#include "runtime/identity.hpp"
#include "runtime/root_source.hpp"
#include "runtime/run_request.hpp"
#include "runtime/stored_request.hpp"
#include "runtime/timings.hpp"
#include "sandbox/plan.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

struct Prepared {
  sys::Invoker invoker;
  std::string data_root;
  std::string id;
  IdChoice ids;
  RootSource source;
  oci::RuntimeSpec spec;
  sandbox::Plan plan;
  bool init = true;  // ours is PID 1
};

[[nodiscard]] std::string container_path(const Prepared& prepared);

/// For a new container. Loads the image if need be. `look_only`: nothing else is changed on disk. `timings` may be nullptr.
Result<Prepared> prepare(const RunRequest& request, bool look_only, Timings* timings);

/// What prepare_again() needs to make the same container run again.
Result<StoredRequest> to_store(const Prepared& prepared, const RunRequest& request);

/// For a container that was made before; environment, command and mounts are what they were then.
Result<Prepared> prepare_again(const StoredRequest& stored, oci::RuntimeSpec spec,
                               const std::string& id, const std::string& data_root);

}  // namespace sbx::runtime
