#pragma once

// What happens to containers and images, told by whoever does it: a line of JSON at the end of events/events.jsonl in the data
// directory, by one write(2). Without a daemon that file is all there is; who wants to follow it watches the directory.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/container_state.hpp"

namespace sbx::runtime {

/// With docker's words: types "container" and "image", actions "create", "start", "die", "destroy", ...
struct Event {
  std::string type;
  std::string action;
  std::string id;  // of the container, or of the image ("sha256:..."), or its name
  std::map<std::string, std::string> attributes;
  std::int64_t time_ns = 0;  // since 1970; 0 to write_event(): now
};

/// A file of events is put aside once it is as large; one that was put aside before is dropped then.
inline constexpr std::uint64_t kEventsFileMax = std::uint64_t{4} << 20U;

/// docker's JSON, one line without its end. Pure, as the next one: nullopt for what is no event.
std::string event_line(const Event& event);
std::optional<Event> parse_event_line(std::string_view line);

/// Never fails: an event that cannot be written is lost, what it tells of happens all the same. An open, a write and a close.
void write_event(const std::string& data_root, Event event);

/// With the container's image, name and labels. `more`: what else is to be said.
void write_container_event(const std::string& data_root, const ContainerState& container,
                           std::string action, std::map<std::string, std::string> more = {});

/// Docker's --filter: values of one key are alternatives, each label has to be there, keys must all hold.
///   type=container|image, event=ACTION, container=NAME or ID, image=NAME or ID, label=NAME[=VALUE]
class EventFilter {
 public:
  /// kInvalidArgument for what is no filter.
  static Result<EventFilter> parse(const std::vector<std::string>& words);
  [[nodiscard]] bool accepts(const Event& event) const;

 private:
  static bool matches(const Event& event, const std::string& key, const std::string& value);
  std::map<std::string, std::vector<std::string>> rules_;
};

struct EventQuery {
  std::optional<std::int64_t> since;  // seconds since 1970; nullopt: from now on
  std::optional<std::int64_t> until;  // the reading ends then; nullopt: never
  EventFilter filter;
};

/// Gives the events to `take` in the order in which they were written, until it returns false.
Result<void> read_events(const std::string& data_root, const EventQuery& query,
                         const std::function<bool(const Event&)>& take);

}  // namespace sbx::runtime
