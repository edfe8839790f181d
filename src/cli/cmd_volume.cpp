#include <algorithm>
#include <array>
#include <cstdio>

#include <sbx/volume.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/json_text.hpp"
#include "cli/prune.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// Which options belong to which action.
struct Given {
  std::vector<std::string> labels;
  std::string driver;
  bool quiet = false;
  std::vector<std::string> filters;
  std::string format;
  bool force = false;
  bool all = false;
};

/// The first option that the action has not; empty if all is well.
std::string foreign_option(const std::string& action, const Given& given) {
  const bool ls = action == "ls";
  const bool prune = action == "prune";
  if (action != "create" && (!given.labels.empty() || !given.driver.empty())) {
    return given.labels.empty() ? "--driver" : "--label";
  }
  if (!ls && given.quiet) {
    return "--quiet";
  }
  if (!ls && !prune && !given.filters.empty()) {
    return "--filter";
  }
  if (!ls && action != "inspect" && !given.format.empty()) {
    return "--format";
  }
  if (action != "rm" && !prune && given.force) {
    return "--force";
  }
  return !prune && given.all ? "--all" : "";
}

int create(const std::string& root, const Given& given, const std::vector<std::string>& names) {
  if (names.size() > 1) {
    return refuse("volume create makes one volume at a time");
  }
  if (!given.driver.empty() && given.driver != "local") {
    return refuse("--driver '" + given.driver + "' is not supported\n  hint: local is");
  }
  const Outcome<std::string> name =
      create_volume({root, names.empty() ? std::string() : names.front(), given.labels});
  if (!name) {
    return complain(name.failure());
  }
  std::printf("%s\n", name.value().c_str());
  return 0;
}

std::string labels_text(const Volume& volume) {
  std::string out;
  for (const auto& [name, value] : volume.labels) {
    out += (out.empty() ? "" : ",") + name + "=" + value;
  }
  return out;
}

void print_json(const std::vector<Volume>& list) {
  JsonText json;
  json.begin_array();
  for (const Volume& one : list) {
    json.begin_object();
    json.member("Name", one.name);
    json.member("Driver", "local");
    json.member("Mountpoint", one.mountpoint);
    json.member("CreatedAt", one.created);
    json.key("Labels");
    json.begin_object();
    for (const auto& [name, value] : one.labels) {
      json.member(name, value);
    }
    json.end_object();
    json.member("Scope", "local");
    json.member("Anonymous", one.anonymous);
    json.end_object();
  }
  json.end_array();
  std::printf("%s\n", json.text().c_str());
}

int list(const std::string& root, const Given& given) {
  const Outcome<std::vector<Volume>> found = volumes(root, given.filters);
  if (!found) {
    return complain(found.failure());
  }
  if (given.format == "json" && !given.quiet) {
    print_json(found.value());
    return 0;
  }
  std::vector<Row> rows;
  for (const Volume& one : found.value()) {
    rows.push_back({{"Driver", "local"},
                    {"Name", one.name},
                    {"Mountpoint", one.mountpoint},
                    {"CreatedAt", one.created},
                    {"Labels", labels_text(one)},
                    {"Scope", "local"},
                    {"Anonymous", one.anonymous ? "true" : "false"}});
  }
  return print_rows(given.quiet ? "{{.Name}}" : given.format,
                    {{{"Driver", "DRIVER"},
                      {"Name", "VOLUME NAME"},
                      {"Mountpoint", "MOUNTPOINT"},
                      {"CreatedAt", "CREATED AT"},
                      {"Labels", "LABELS"},
                      {"Scope", "SCOPE"},
                      {"Anonymous", "ANONYMOUS"}},
                     {"Driver", "Name"}},
                    rows);
}

int inspect(const std::string& root, const std::string& format,
            const std::vector<std::string>& names) {
  int worst = 0;
  std::string all;
  for (const std::string& name : names) {
    const Outcome<std::string> found = inspect_volume(root, name);
    if (!found) {
      worst = complain(found.failure());
    } else if (format.empty() || format == "json") {
      all += (all.empty() ? "" : ",\n") + found.value();
    } else if (const int code = print_by_template(format, found.value()); code != 0) {
      worst = code;
    }
  }
  if (format.empty() || format == "json") {
    std::printf("[%s]\n", all.c_str());
  }
  return worst;
}

int remove(const std::string& root, bool force, const std::vector<std::string>& names) {
  int worst = 0;
  for (const std::string& name : names) {
    const Outcome<bool> removed = remove_volume(root, name, force);
    if (!removed) {
      worst = complain(removed.failure());
    } else if (removed.value()) {
      std::printf("%s\n", name.c_str());
      std::fflush(stdout);  // before a complaint about the next
    }
  }
  return worst;
}

int prune(const std::string& root, const Given& given) {
  const char* const warning = given.all ? "  - all volumes that no container uses"
                                        : "  - all volumes without a name that no container uses";
  if (!given.force && !agreed(warning)) {
    return 0;
  }
  const Outcome<PrunedVolumes> pruned = prune_volumes({root, given.all, given.filters});
  if (!pruned) {
    return complain(pruned.failure());
  }
  print_pruned_volumes(pruned.value().names);
  std::printf("Total reclaimed space: %s\n", human_size(pruned.value().bytes).c_str());
  return 0;
}

int run_action(const std::string& root, const std::string& action, const Given& given,
               const std::vector<std::string>& names) {
  const bool listing = action == "ls" || action == "prune";
  if (listing && !names.empty()) {
    return refuse("volume " + action + " takes no names");
  }
  if (!listing && action != "create" && names.empty()) {
    return refuse("a volume has to be named\n  hint: 'sbx volume ls' lists the volumes");
  }
  return action == "create"    ? create(root, given, names)
         : action == "ls"      ? list(root, given)
         : action == "inspect" ? inspect(root, given.format, names)
         : action == "rm"      ? remove(root, given.force, names)
                               : prune(root, given);
}

}  // namespace

int cmd_volume(const GlobalOptions& global, const Words& words) {
  Given given;
  std::string action;
  std::vector<std::string> names;
  CommandLine line("volume",
                   "create, ls, inspect, rm: of volumes, directories that containers mount and "
                   "that outlive them. prune: remove volumes that no container uses.");
  line.values("--label", given.labels, "NAME[=VALUE]", "create: give it a label");
  line.value("-d,--driver", given.driver, "local", "create: as docker; there is no other");
  line.flag("-q,--quiet", given.quiet, "ls: print names only");
  line.values("--filter", given.filters, "KEY=VALUE",
              "ls: name=, label=, label!=, dangling=, anonymous=, driver=, until=; prune: label=, "
              "label!=, until=");
  line.value("--format", given.format, "table|json|TEMPLATE",
             "ls, inspect: how to print; TEMPLATE as '{{.Name}} {{.Mountpoint}}'");
  line.flag("-f,--force", given.force, "rm: no error if there is none; prune: do not ask");
  line.flag("-a,--all", given.all, "prune: also volumes with a name");
  line.argument("ACTION", action, "create, ls, inspect, rm or prune");
  line.arguments("VOLUME", names, "Name, or the beginning of a name", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  action = action == "list" ? "ls" : action == "remove" ? "rm" : action;
  constexpr std::array<std::string_view, 5> kActions{"create", "ls", "inspect", "rm", "prune"};
  if (std::find(kActions.begin(), kActions.end(), action) == kActions.end()) {
    return refuse("'" + action + "' is not an action of volume\n  hint: see 'sbx volume --help'");
  }
  if (const std::string option = foreign_option(action, given); !option.empty()) {
    return refuse("volume " + action + " has no option '" + option +
                  "'\n  hint: see 'sbx volume --help'");
  }
  return run_action(global.root, action, given, names);
}

}  // namespace sbx::cli
