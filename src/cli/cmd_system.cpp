#include <algorithm>
#include <cstdio>

#include <sbx/system.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/json_text.hpp"
#include "cli/prune.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

constexpr int kUsageError = 125;

/// One line of `system df`.
struct Part {
  const char* type;
  std::size_t total = 0;
  std::size_t active = 0;
  std::uint64_t size = 0;
  std::uint64_t reclaimable = 0;
};

std::vector<Part> parts_of(const DiskUsage& usage) {
  Part images{"Images"};
  images.total = usage.images.size();
  images.size = usage.store;
  images.reclaimable = usage.garbage;
  for (const ImageUsage& use : usage.images) {
    images.active += use.containers > 0 ? 1 : 0;
    images.reclaimable += use.containers > 0 ? 0 : use.unique;
  }
  if (images.active == 0) {
    images.reclaimable = usage.store;  // what unused images share is free when all of them are gone
  }
  Part containers{"Containers"};
  containers.total = usage.containers.size();
  for (const ContainerUsage& use : usage.containers) {
    containers.active += use.running ? 1 : 0;
    containers.size += use.size;
    containers.reclaimable += use.running ? 0 : use.size;
  }
  Part volumes{"Local Volumes"};
  volumes.total = usage.volumes.size();
  for (const VolumeUsage& use : usage.volumes) {
    volumes.active += use.containers > 0 ? 1 : 0;
    volumes.size += use.size;
    volumes.reclaimable += use.containers > 0 ? 0 : use.size;
  }
  return {images, containers, volumes};
}

std::string with_share(const Part& part) {
  const std::uint64_t share = part.size == 0 ? 0 : part.reclaimable * 100 / part.size;
  return human_size(part.reclaimable) + " (" + std::to_string(share) + "%)";
}

int print_parts(const DiskUsage& usage, const std::string& format) {
  std::vector<Row> rows;
  for (const Part& part : parts_of(usage)) {
    rows.push_back({{"Type", part.type},
                    {"TotalCount", std::to_string(part.total)},
                    {"Active", std::to_string(part.active)},
                    {"Size", human_size(part.size)},
                    {"Reclaimable", with_share(part)}});
  }
  return print_rows(format,
                    {{{"Type", "TYPE"},
                      {"TotalCount", "TOTAL"},
                      {"Active", "ACTIVE"},
                      {"Size", "SIZE"},
                      {"Reclaimable", "RECLAIMABLE"}},
                     {"Type", "TotalCount", "Active", "Size", "Reclaimable"}},
                    rows);
}

void print_details(const DiskUsage& usage) {
  std::printf("Images space usage:\n\n");
  std::vector<std::vector<std::string>> rows{
      {"NAME", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"}};
  for (const ImageUsage& use : usage.images) {
    rows.push_back({use.image.names.empty() ? "<none>" : use.image.names.front(),
                    use.image.id.substr(0, 12), human_age(use.image.created),
                    human_size(use.shared + use.unique), human_size(use.shared),
                    human_size(use.unique), std::to_string(use.containers)});
  }
  print_table(rows);
  std::printf("\nNo image needs: %s\n\nContainers space usage:\n\n",
              human_size(usage.garbage).c_str());
  rows = {{"CONTAINER ID", "IMAGE", "NAME", "STATUS", "SIZE"}};
  for (const ContainerUsage& use : usage.containers) {
    rows.push_back({use.id.substr(0, 12), use.image, use.name, use.running ? "running" : "exited",
                    human_size(use.size)});
  }
  print_table(rows);
  std::printf("\nLocal Volumes space usage:\n\n");
  rows = {{"VOLUME NAME", "LINKS", "SIZE"}};
  for (const VolumeUsage& use : usage.volumes) {
    rows.push_back({use.name, std::to_string(use.containers), human_size(use.size)});
  }
  print_table(rows);
}

void print_json(const DiskUsage& usage) {
  JsonText json;
  json.begin_object();
  for (const Part& part : parts_of(usage)) {
    json.key(part.type);
    json.begin_object();
    json.member("TotalCount", std::uint64_t{part.total});
    json.member("Active", std::uint64_t{part.active});
    json.member("Size", part.size);
    json.member("Reclaimable", part.reclaimable);
    json.key("Items");
    json.begin_array();
    for (const ImageUsage& use :
         std::string_view(part.type) == "Images" ? usage.images : std::vector<ImageUsage>{}) {
      json.begin_object();
      json.member("Id", "sha256:" + use.image.id);
      json.member("Names", use.image.names);
      json.member("SharedSize", use.shared);
      json.member("UniqueSize", use.unique);
      json.member("Containers", std::uint64_t{use.containers});
      json.end_object();
    }
    for (const ContainerUsage& use : std::string_view(part.type) == "Containers"
                                         ? usage.containers
                                         : std::vector<ContainerUsage>{}) {
      json.begin_object();
      json.member("Id", use.id);
      json.member("Name", use.name);
      json.member("Image", use.image);
      json.member("Running", use.running);
      json.member("Size", use.size);
      json.end_object();
    }
    for (const VolumeUsage& use : std::string_view(part.type) == "Local Volumes"
                                      ? usage.volumes
                                      : std::vector<VolumeUsage>{}) {
      json.begin_object();
      json.member("Name", use.name);
      json.member("Links", std::uint64_t{use.containers});
      json.member("Size", use.size);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.member("Garbage", usage.garbage);
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

int df(const std::string& root, bool verbose, const std::string& format) {
  const Outcome<DiskUsage> usage = disk_usage(root);
  if (!usage) {
    return complain(usage.failure());
  }
  if (format == "json") {
    print_json(usage.value());
    return 0;
  }
  if (verbose) {
    print_details(usage.value());
    return 0;
  }
  return print_parts(usage.value(), format);
}

void print_report(const StoreReport& report) {
  for (const StoreProblem& problem : report.problems) {
    std::printf("%s %s: %s\n", problem.kind.c_str(), problem.subject.c_str(), problem.text.c_str());
    if (!problem.action.empty()) {
      std::printf("  %s\n", problem.action.c_str());
    }
  }
  if (report.found > report.problems.size()) {
    std::printf("and %llu more\n",
                static_cast<unsigned long long>(report.found - report.problems.size()));
  }
  std::printf("%llu images, %llu trees, %llu blobs of %s: %s\n",
              static_cast<unsigned long long>(report.images),
              static_cast<unsigned long long>(report.trees),
              static_cast<unsigned long long>(report.blobs), human_size(report.bytes).c_str(),
              report.found == 0  ? "all is well"
              : report.left == 0 ? "repaired"
                                 : "something is wrong");
}

void print_json(const StoreReport& report) {
  JsonText json;
  json.begin_object();
  json.member("Images", report.images);
  json.member("Trees", report.trees);
  json.member("Blobs", report.blobs);
  json.member("Bytes", report.bytes);
  json.member("Found", report.found);
  json.member("Left", report.left);
  json.key("Problems");
  json.begin_array();
  for (const StoreProblem& problem : report.problems) {
    json.begin_object();
    json.member("Kind", problem.kind);
    json.member("Subject", problem.subject);
    json.member("Text", problem.text);
    json.member("Action", problem.action);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

int check(const std::string& root, bool repair, const std::string& format) {
  if (!format.empty() && format != "json" && format != "table") {
    return complain({kUsageError, "system check prints as table or json only"});
  }
  const Outcome<StoreReport> report = check_store(root, repair);
  if (!report) {
    return complain(report.failure());
  }
  if (format == "json") {
    print_json(report.value());
  } else {
    print_report(report.value());
  }
  return report.value().left == 0 ? 0 : 1;
}

/// Which options belong to which action.
struct Given {
  bool verbose = false;
  bool all = false;
  bool force = false;
  bool repair = false;
  bool volumes = false;
  std::vector<std::string> filters;
  std::string format;
};

/// The first option that the action has not; empty if all is well.
std::string foreign_option(const std::string& action, const Given& given) {
  if (given.verbose && action != "df") {
    return "--verbose";
  }
  if (given.repair && action != "check") {
    return "--repair";
  }
  if (!given.format.empty() && action == "prune") {
    return "--format";
  }
  if (action == "prune") {
    return {};
  }
  return given.all               ? "--all"
         : given.volumes         ? "--volumes"
         : given.force           ? "--force"
         : given.filters.empty() ? ""
                                 : "--filter";
}

}  // namespace

int cmd_system(const GlobalOptions& global, const Words& words) {
  Given given;
  std::string action;
  CommandLine line(
      "system",
      "df: what images, containers and volumes take on disk. prune: remove what nothing uses. "
      "check: compare every file of the image store with its digest.");
  line.flag("-v,--verbose", given.verbose, "df: each image and container");
  line.value("--format", given.format, "table|json|TEMPLATE", "df, check: how to print");
  line.flag("-a,--all", given.all,
            "prune: every image that no container uses, not only those without a name");
  line.flag("--volumes", given.volumes,
            "prune: also volumes without a name that no container uses; with --all those with one");
  line.flag("-f,--force", given.force, "prune: do not ask");
  line.values("--filter", given.filters, "KEY=VALUE",
              "prune: containers, images and volumes by until=TIME, label=NAME[=VALUE] or "
              "label!=NAME[=VALUE]");
  line.flag("--repair", given.repair,
            "check: put damaged files aside, make trees anew, take out what cannot be whole");
  line.argument("ACTION", action, "df, prune or check");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (action != "df" && action != "prune" && action != "check") {
    return complain(
        {kUsageError,
         "'" + action + "' is not an action of system\n  hint: see 'sbx system --help'"});
  }
  if (const std::string option = foreign_option(action, given); !option.empty()) {
    return complain({kUsageError, "system " + action + " has no option '" + option +
                                      "'\n  hint: see 'sbx system --help'"});
  }
  if (action == "df") {
    return df(global.root, given.verbose, given.format);
  }
  if (action == "check") {
    return check(global.root, given.repair, given.format);
  }
  return prune_and_print(
      {global.root, given.all, true, given.volumes, true, given.filters}, given.force,
      std::string("  - all containers that are not running\n") +
          (!given.volumes ? ""
           : given.all    ? "  - all volumes that no container uses\n"
                          : "  - all volumes without a name that no container uses\n") +
          (given.all ? "  - all images that no container uses" : "  - all images without a name") +
          "\n  - what killed processes left behind");
}

}  // namespace sbx::cli
