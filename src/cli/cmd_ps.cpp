#include <algorithm>
#include <cstdio>
#include <map>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
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

/// As docker: "Up 3 minutes", "Exited (0) 2 days ago", "Created".
std::string status_text(const Container& container) {
  if (container.status == "running") {
    std::string age = human_age(container.started);
    constexpr std::string_view kAgo = " ago";
    if (age.ends_with(kAgo)) {
      age.resize(age.size() - kAgo.size());
    }
    return "Up " + age +
           (container.health.empty()         ? ""
            : container.health == "starting" ? " (health: starting)"
                                             : " (" + container.health + ")");
  }
  if (container.status == "restarting") {
    return "Restarting (" + std::to_string(container.exit_code) + ") " +
           human_age(container.finished);
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
          {"Names", container.name}};
}

Columns columns_of(const PsOptions& options) {
  Columns out;
  out.all = {{"ID", "CONTAINER ID"},
             {"Image", "IMAGE"},
             {"Command", "COMMAND"},
             {"RunningFor", "CREATED"},
             {"CreatedAt", "CREATED AT"},
             {"Status", "STATUS"},
             {"State", "STATE"},
             {"ExitCode", "EXIT CODE"},
             {"Pid", "PID"},
             {"Names", "NAMES"},
             {"Size", "SIZE"}};
  out.shown = {"ID", "Image", "Command", "RunningFor", "Status", "Names"};
  if (options.size) {
    out.shown.emplace_back("Size");
  }
  return out;
}

/// Docker's --filter: values of one key are alternatives, keys must all hold.
class Filter {
 public:
  /// The failure's message, or nothing.
  std::string add(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const bool known =
        key == "id" || key == "name" || key == "status" || key == "ancestor" || key == "exited";
    if (equals == std::string::npos || !known) {
      return "cannot filter containers by '" + text +
             "'\n  hint: id=, name=, status=, ancestor= and exited= are there";
    }
    rules_[key].push_back(text.substr(equals + 1));
    return "";
  }
  [[nodiscard]] bool names_status() const {
    return rules_.count("status") + rules_.count("exited") != 0;
  }
  [[nodiscard]] bool accepts(const Container& container) const {
    return std::all_of(rules_.begin(), rules_.end(), [&](const auto& rule) {
      return std::any_of(rule.second.begin(), rule.second.end(), [&](const std::string& value) {
        return matches(container, rule.first, value);
      });
    });
  }

 private:
  static bool matches(const Container& container, const std::string& key,
                      const std::string& value) {
    return key == "id"       ? container.id.starts_with(value)
           : key == "name"   ? container.name.find(value) != std::string::npos
           : key == "status" ? container.status == value
           : key == "ancestor"
               ? container.image == value
               : container.status == "exited" && std::to_string(container.exit_code) == value;
  }
  std::map<std::string, std::vector<std::string>> rules_;
};

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

int cmd_ps(const GlobalOptions& global, const Words& words) {
  PsOptions options{.root = global.root};
  std::vector<std::string> filters;
  std::string format;
  bool quiet = false;
  CommandLine line("ps", "List containers, the newest first.");
  line.flag("-a,--all", options.all, "Also those that do not run");
  line.flag("-q,--quiet", quiet, "Print ids only");
  line.flag("--no-trunc", options.no_trunc, "Do not shorten ids and commands");
  line.flag("-s,--size", options.size, "Show what each takes on disk");
  line.values("-f,--filter", filters, "KEY=VALUE",
              "id=, name=, status=created|running|restarting|exited, ancestor=IMAGE, exited=CODE");
  line.value("--format", format, "table|json|TEMPLATE",
             "How to print; TEMPLATE as '{{.ID}} {{.Names}}'");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  Filter filter;
  for (const std::string& text : filters) {
    if (const std::string wrong = filter.add(text); !wrong.empty()) {
      return complain({125, wrong});
    }
  }
  Outcome<std::vector<Container>> found = containers(global.root);
  if (!found) {
    return complain(found.failure());
  }
  std::vector<Container>& list = found.value();
  const bool all = options.all || filter.names_status();
  std::erase_if(list, [&](const Container& one) {
    return (!all && one.status != "running" && one.status != "restarting") || !filter.accepts(one);
  });
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
