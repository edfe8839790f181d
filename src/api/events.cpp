#include <ctime>

#include <fmt/format.h>
#include <sbx/events.hpp>

#include "api/failure.hpp"
#include "base/json.hpp"
#include "base/rfc3339.hpp"
#include "image/image_filter.hpp"
#include "runtime/events.hpp"
#include "runtime/settings.hpp"

namespace sbx {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::string time_text(std::int64_t ns) {
  std::string out = format_rfc3339(ns / kNanoseconds);
  out.pop_back();
  return fmt::format("{}.{:09}Z", out, ns % kNanoseconds);
}

std::string attribute(const runtime::Event& event, const char* name) {
  const auto it = event.attributes.find(name);
  return it == event.attributes.end() ? std::string() : it->second;
}

SystemEvent to_public(const runtime::Event& event) {
  const bool container = event.type == "container";
  const Json fields{{"Type", event.type},
                    {"Action", event.action},
                    {"Status", event.action},
                    {"ID", event.id},
                    {"From", container ? attribute(event, "image") : ""},
                    {"Image", container ? attribute(event, "image") : ""},
                    {"Name", attribute(event, "name")},
                    {"Actor", {{"ID", event.id}, {"Attributes", event.attributes}}},
                    {"Attributes", event.attributes},
                    {"Scope", "local"},
                    {"Time", event.time_ns / kNanoseconds},
                    {"TimeNano", event.time_ns}};
  return {event.type,
          event.action,
          event.id,
          event.attributes,
          time_text(event.time_ns),
          runtime::event_line(event),
          dump_json(fields)};
}

/// nullopt for no text. A duration ahead of now is said with a time only, as by docker.
Result<std::optional<std::int64_t>> time_of(const std::string& text) {
  if (text.empty()) {
    return std::optional<std::int64_t>();
  }
  const Result<std::int64_t> time = image::parse_until(text, std::time(nullptr));
  return time ? Result<std::optional<std::int64_t>>(std::optional(*time))
              : fail(Error::make(ErrorCode::kInvalidArgument, "use time", text,
                                 time.error().reason));
}

Result<void> read(const EventsRequest& request,
                  const std::function<bool(const SystemEvent&)>& take) {
  runtime::EventQuery query;
  query.since = SBX_TRY(time_of(request.since));
  query.until = SBX_TRY(time_of(request.until));
  if (query.until && !query.since) {
    query.since = 0;
  }
  query.filter = SBX_TRY(runtime::EventFilter::parse(request.filters));
  return runtime::read_events(SBX_TRY(runtime::data_root_of(request.root)), query,
                              [&](const runtime::Event& event) { return take(to_public(event)); });
}

}  // namespace

Outcome<std::monostate> events(const EventsRequest& request,
                               const std::function<bool(const SystemEvent&)>& take) {
  const Result<void> done = read(request, take);
  return done ? Outcome<std::monostate>(std::monostate()) : api::to_failure(done.error());
}

}  // namespace sbx
