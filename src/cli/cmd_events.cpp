#include <cstdio>

#include <sbx/events.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// As docker: "TIME container create ID (image=small, name=web)".
std::string line_of(const SystemEvent& event) {
  std::string out = event.time + " " + event.type + " " + event.action + " " + event.id;
  std::string attributes;
  for (const auto& [name, value] : event.attributes) {
    attributes += (attributes.empty() ? "" : ", ") + name + "=" + value;
  }
  return attributes.empty() ? out : out + " (" + attributes + ")";
}

}  // namespace

int cmd_events(const GlobalOptions& global, const Words& words) {
  EventsRequest request;
  request.root = global.root;
  std::string format;
  CommandLine line("events", "Show what happens to containers and images, as it happens.");
  line.value("--since", request.since, "TIME",
             "From then on: 2026-01-02T03:04:05Z, seconds since 1970, or 10m for ten minutes ago "
             "(default: from now on)");
  line.value("--until", request.until, "TIME", "Until then (default: until interrupted)");
  line.values("-f,--filter", request.filters, "KEY=VALUE",
              "type=container|image, event=ACTION, container=, image=, label=NAME[=VALUE]");
  line.value("--format", format, "json|TEMPLATE",
             "How to print; TEMPLATE as '{{.Action}} {{.Actor.ID}}'");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  int code = 0;
  const Outcome<std::monostate> done = events(request, [&](const SystemEvent& event) {
    if (format.empty()) {
      std::printf("%s\n", line_of(event).c_str());
    } else if (format == "json" || format == "{{json .}}") {
      std::printf("%s\n", event.json.c_str());
    } else {
      code = print_by_template(format, event.fields);
    }
    return code == 0 && std::fflush(stdout) == 0;
  });
  return done ? code : complain(done.failure());
}

}  // namespace sbx::cli
