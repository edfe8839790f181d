#pragma once

// Who takes the changes of a container: our file system (FUSE), or the kernel's overlay on top of our image. See README.md.

#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/identity.hpp"
#include "runtime/root_source.hpp"
#include "runtime/run_request.hpp"
#include "sandbox/plan.hpp"

namespace sbx::runtime {

struct EngineInput {
  const RunRequest& request;
  const RootSource& source;
  const IdChoice& ids;
  const std::string& data_root;
  const std::string& container;  // its directory
  bool keep_answer = true;  // what a trial said is kept in `data_root`; else nothing is changed
};

using EngineChoice = std::optional<sandbox::KernelOverlay>;

/// The kernel's overlay, as the sandbox shall mount it; nullopt: our file system takes the changes. Tries once for each kernel and
/// file system whether the kernel's works, and again after a day if it did not. kUnsupported if it was asked for and cannot be.
Result<EngineChoice> choose_engine(const EngineInput& input);

}  // namespace sbx::runtime
