#pragma once

// A process that mounts an image for all containers of it: see README.md, 'One mount for several containers'.

#include <string>

#include "base/result.hpp"
#include "runtime/identity.hpp"
#include "runtime/image_keeper.hpp"
#include "runtime/root_source.hpp"
#include "sandbox/plan.hpp"

namespace sbx::runtime {

struct ImageServerInput {
  RootSource& source;  // an image; the server has a copy of it
  const IdChoice& ids;
  const sandbox::Plan& plan;
  bool acls = false;
  int directory = -1;  // of its socket
  std::string socket;
  std::string lock;  // held by the caller
  std::string key;
};

/// Starts one, which outlives us; ours is its first connection. The socket is there when this returns. The caller must have one thread.
Result<SharedImage> start_image_server(const ImageServerInput& input);

}  // namespace sbx::runtime
