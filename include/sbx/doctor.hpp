#pragma once

#include <string>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx {

/// One thing that `sbx doctor` looked at, by trying it.
struct Finding {
  enum class Status {
    kOk,
    kDegraded,  // sandboxes run, but something is slower or missing in them
    kMissing    // what `consequence` says does not work
  };

  std::string id;     // stable, lower case, e.g. "userns"
  std::string title;  // e.g. "user namespaces"
  Status status = Status::kOk;
  std::string found;        // one line
  std::string consequence;  // what then does not work; empty if all is well
  std::string remedy;       // the one command that mends it; empty if there is none to give
  bool essential = false;   // no sandbox of any kind runs while it is missing
};

struct DoctorRequest {
  std::string root;  // where images and containers are kept; empty: as the other verbs choose it
};

/// What this machine can do for sandboxes, and what it lacks. Makes and removes namespaces, mounts and a tap device in
/// processes of its own; changes nothing. The caller must have one thread.
Outcome<std::vector<Finding>> doctor(const DoctorRequest& request);

/// "ok", "degraded" or "missing".
std::string to_string(Finding::Status status);

/// The findings as a JSON array of objects with the members of Finding.
std::string to_json(const std::vector<Finding>& findings);

}  // namespace sbx
