#pragma once

// What happened to containers and images of one user, whoever did it.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx {

struct SystemEvent {
  std::string type;    // "container" or "image"
  std::string action;  // docker's word: "create", "start", "die", ...
  std::string id;
  std::map<std::string, std::string> attributes;  // "image", "name", "exitCode", labels
  std::string time;                               // RFC 3339, with nanoseconds
  std::string json;                               // docker's JSON, one line
  std::string fields;  // the same under the names that docker's and podman's templates use
};

struct EventsRequest {
  std::string root;
  std::string
      since;  // a time, or a duration ("10m"); empty: from now on, but with `until` from the beginning
  std::string until;                 // empty: for ever
  std::vector<std::string> filters;  // docker's, see sbx-events(1)
};

/// Gives each event to `take`, as it happens, until that returns false or the time has come.
Outcome<std::monostate> events(const EventsRequest& request,
                               const std::function<bool(const SystemEvent&)>& take);

}  // namespace sbx
