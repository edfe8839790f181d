#include <algorithm>
#include <cstdio>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/format_template.hpp"
#include "cli/json_text.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

struct PsOptions {
  bool all = false;
  bool no_trunc = false;
  bool size = false;
  std::string root;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

std::string age_of(const std::string& time) {
  const std::string age = human_age(time);
  return age.empty() ? "N/A" : age;
}

/// As docker: "Up 3 minutes", "Up 3 minutes (Paused)", "Exited (0) 2 days ago", "Created".
std::string status_text(const Container& container) {
  if (container.status == "restarting") {
    return "Restarting (" + std::to_string(container.exit_code) + ") " +
           human_age(container.finished);
  }
  if (is_running(container)) {
    std::string age = human_age(container.started);
    constexpr std::string_view kAgo = " ago";
    if (age.ends_with(kAgo)) {
      age.resize(age.size() - kAgo.size());
    }
    return "Up " + age +
           (container.status == "paused"     ? " (Paused)"
            : container.health.empty()       ? ""
            : container.health == "starting" ? " (health: starting)"
                                             : " (" + container.health + ")");
  }
  if (container.status == "created") {
    return "Created";
  }
  const std::string age = human_age(container.finished);
  return "Exited (" + std::to_string(container.exit_code) + ")" + (age.empty() ? "" : " " + age);
}

std::string command_text(const Container& container, bool no_trunc) {
  constexpr std::size_t kMost = 20;
  std::string text = joined(container.command);
  if (!no_trunc && text.size() > kMost) {
    text = text.substr(0, kMost - 1) + "…";
  }
  return "\"" + text + "\"";
}

/// As docker: "a=1,b=2".
std::string labels_text(const Container& container) {
  std::string out;
  for (const auto& [name, value] : container.labels) {
    out += (out.empty() ? "" : ",") + name + "=" + value;
  }
  return out;
}

Row row_of(const Container& container, const PsOptions& options) {
  std::string size;
  if (options.size) {
    const Outcome<std::uint64_t> bytes = container_size(options.root, container.id);
    size = bytes ? human_size(bytes.value()) : "N/A";
  }
  return {{"ID", options.no_trunc ? container.id : container.id.substr(0, 12)},
          {"Image", container.image},
          {"Command", command_text(container, options.no_trunc)},
          {"CreatedAt", container.created},
          {"RunningFor", age_of(container.created)},
          {"Status", status_text(container)},
          {"State", container.status},
          {"ExitCode", std::to_string(container.exit_code)},
          {"Pid", std::to_string(container.pid)},
          {"Size", size},
          {"Ports", ""},  // none are published
          {"Labels", labels_text(container)},
          {"Names", container.name}};
}

Columns columns_of(const PsOptions& options) {
  Columns out;
  out.all = {{"ID", "CONTAINER ID"},    {"Image", "IMAGE"},          {"Command", "COMMAND"},
             {"RunningFor", "CREATED"}, {"CreatedAt", "CREATED AT"}, {"Status", "STATUS"},
             {"State", "STATE"},        {"ExitCode", "EXIT CODE"},   {"Pid", "PID"},
             {"Ports", "PORTS"},        {"Labels", "LABELS"},        {"Names", "NAMES"},
             {"Size", "SIZE"}};
  out.shown = {"ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"};
  if (options.size) {
    out.shown.emplace_back("Size");
  }
  return out;
}

void print_json(const std::vector<Container>& list) {
  JsonText json;
  json.begin_array();
  for (const Container& one : list) {
    json.begin_object();
    json.member("Id", one.id);
    json.member("Names", one.name);
    json.member("Image", one.image);
    json.member("Command", one.command);
    json.member("State", one.status);
    json.member("Status", status_text(one));
    json.member("ExitCode", static_cast<std::uint64_t>(one.exit_code));
    json.key("Labels");
    json.begin_object();
    for (const auto& [name, value] : one.labels) {
      json.member(name, value);
    }
    json.end_object();
    json.member("Ports", "");
    json.member("Pid", static_cast<std::uint64_t>(one.pid));
    json.member("Created", one.created);
    json.member("Started", one.started);
    json.member("Finished", one.finished);
    json.member("Error", one.error);
    json.end_object();
  }
  json.end_array();
  std::printf("%s\n", json.text().c_str());
}

}  // namespace

namespace {

/// A number of containers; nullopt if it is none. Docker takes -1 for all of them.
std::optional<std::size_t> read_count(const std::string& text) {
  const std::optional<int> count = read_seconds(text);
  return !count || *count < -1 || *count == 0
             ? std::nullopt
             : std::optional(*count == -1 ? SIZE_MAX : static_cast<std::size_t>(*count));
}

/// Those that are to be shown, whether they run or not: --all, or a filter that says so.
bool wants_all(const PsOptions& options, const std::vector<std::string>& filters) {
  return options.all || std::any_of(filters.begin(), filters.end(), [](const std::string& filter) {
           return filter.starts_with("status=") || filter.starts_with("exited=");
         });
}

}  // namespace

int cmd_ps(const GlobalOptions& global, const Words& words) {
  PsOptions options{.root = global.root};
  std::vector<std::string> filters;
  std::string format;
  std::optional<std::string> last;
  bool latest = false;
  bool quiet = false;
  CommandLine line("ps", "List containers, the newest first.");
  line.flag("-a,--all", options.all, "Also those that do not run");
  line.flag("-q,--quiet", quiet, "Print ids only");
  line.flag("--no-trunc", options.no_trunc, "Do not shorten ids and commands");
  line.flag("-s,--size", options.size, "Show what each takes on disk");
  line.value("-n,--last", last, "NUMBER", "That many that were made last, running or not");
  line.flag("-l,--latest", latest, "The one that was made last, running or not");
  line.values("-f,--filter", filters, "KEY=VALUE",
              "id=, name=, label=NAME[=VALUE], exited=CODE, status=, ancestor=IMAGE, "
              "before=CONTAINER, since=CONTAINER, until=TIME, volume=, health=");
  line.value("--format", format, "table|json|TEMPLATE",
             "How to print; TEMPLATE as '{{.ID}} {{.Names}}'");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  std::optional<std::size_t> most = latest ? std::optional(std::size_t{1}) : std::nullopt;
  if (last && (latest || !(most = read_count(*last)))) {
    return refuse(latest ? "--last and --latest do not go together"
                         : "--last '" + *last + "' is no number of containers");
  }
  Outcome<std::vector<Container>> found = containers(global.root, filters);
  if (!found) {
    return complain(found.failure());
  }
  std::vector<Container>& list = found.value();
  if (most) {
    list.resize(std::min(list.size(), *most));
  } else if (!wants_all(options, filters)) {
    std::erase_if(list, [](const Container& one) { return !is_running(one); });
  }
  if (format == "json" && !quiet) {
    print_json(list);
    return 0;
  }
  std::vector<Row> rows;
  for (const Container& one : list) {
    rows.push_back(row_of(one, options));
  }
  return print_rows(quiet ? "{{.ID}}" : format, columns_of(options), rows);
}

}  // namespace sbx::cli
