#pragma once

// What `start` needs of the request that made a container, beside its OCI runtime configuration: the member "sbx" of
// config.json. Pure.

#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "runtime/container_log.hpp"
#include "runtime/run_request.hpp"

namespace sbx::runtime {

/// How a container was asked for, without what its OCI configuration says already (command, environment, mounts, ...).
struct StoredRequest {
  RunRequest request;  // image, network, ids, engine, limits and streams; all else has its default
  bool init = true;    // ours is PID 1
  // What its command was put together from, for `inspect` and `commit`.
  std::vector<std::string> entry_point;
  std::vector<std::string> command;
  std::string user;  // as it was given, or as the image has it
};

/// "no", "on-failure", "always" or "unless-stopped".
[[nodiscard]] std::string_view restart_word(RestartPolicy policy);

Json to_json(const StoredRequest& stored);
/// kCorrupt for members of the wrong type, and for words that this version does not know.
Result<StoredRequest> stored_request_from_json(const Json& object);

}  // namespace sbx::runtime
