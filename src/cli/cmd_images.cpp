#include <algorithm>
#include <cstdio>
#include <set>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/json_text.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

constexpr const char* kNone = "<none>";

struct NameParts {
  std::string repository = kNone;
  std::string tag = kNone;
};

NameParts split_name(const std::string& name) {
  if (name.empty()) {
    return {};
  }
  const std::size_t colon = name.find_last_of(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos) {
    return {name, kNone};  // the colon, if any, is that of a port
  }
  return {name.substr(0, colon), name.substr(colon + 1)};
}

std::string shown_id(const Image& image, bool no_trunc) {
  return no_trunc ? "sha256:" + image.id : image.id.substr(0, 12);
}

void print_json(const std::vector<Image>& list) {
  JsonText json;
  json.begin_array();
  for (const Image& image : list) {
    json.begin_object();
    json.member("Id", "sha256:" + image.id);
    json.member("Names", image.names);
    json.member("Digest", image.digest);
    json.member("Created", image.created);
    json.member("Platform", image.platform);
    json.member("Size", image.size);
    json.key("Labels");
    json.begin_object();
    for (const auto& [name, value] : image.labels) {
      json.member(name, value);
    }
    json.end_object();
    json.member("Dangling", image.names.empty());
    json.member("ReadOnly", image.read_only);
    json.end_object();
  }
  json.end_array();
  std::printf("%s\n", json.text().c_str());
}

Row row_of(const Image& image, const NameParts& name, bool no_trunc) {
  std::string created_at = image.created;  // as docker: "2024-05-06 07:08:09 +0000 UTC"
  if (created_at.size() == 20) {
    created_at = created_at.substr(0, 10) + " " + created_at.substr(11, 8) + " +0000 UTC";
  }
  const std::string age = human_age(image.created);
  return {{"Repository", name.repository},
          {"Tag", name.tag},
          {"ID", shown_id(image, no_trunc)},
          {"Digest", image.digest},
          {"CreatedSince", age.empty() ? "N/A" : age},
          {"CreatedAt", created_at.empty() ? "N/A" : created_at},
          {"Size", human_size(image.size)},
          {"Platform", image.platform},
          {"ReadOnly", image.read_only ? "true" : "false"}};
}

std::vector<Row> rows_of(const std::vector<Image>& list, bool no_trunc) {
  std::vector<Row> rows;
  for (const Image& image : list) {
    const std::vector<std::string> nameless{std::string()};
    for (const std::string& name : image.names.empty() ? nameless : image.names) {
      rows.push_back(row_of(image, split_name(name), no_trunc));
    }
  }
  return rows;
}

Columns columns_of(const std::vector<Image>& list, bool digests) {
  Columns out;
  out.all = {{"Repository", "REPOSITORY"},
             {"Tag", "TAG"},
             {"Digest", "DIGEST"},
             {"ID", "IMAGE ID"},
             {"CreatedSince", "CREATED"},
             {"CreatedAt", "CREATED AT"},
             {"Size", "SIZE"},
             {"Platform", "PLATFORM"},
             {"ReadOnly", "READ-ONLY"}};
  out.shown = {"Repository", "Tag", "ID", "CreatedSince", "Size"};
  if (digests) {
    out.shown.insert(out.shown.begin() + 2, "Digest");
  }
  if (std::any_of(list.begin(), list.end(), [](const Image& i) { return i.read_only; })) {
    out.shown.emplace_back("ReadOnly");
  }
  return out;
}

}  // namespace

int cmd_images(const GlobalOptions& global, const Words& words) {
  bool all = false;
  bool quiet = false;
  bool no_trunc = false;
  bool digests = false;
  std::string format;
  std::string name;
  ImagesRequest request;
  request.root = global.root;
  CommandLine line("images", "List the images of the store, newest first.");
  line.flag("-a,--all", all, "As docker; there are no intermediate images to leave out");
  line.flag("-q,--quiet", quiet, "Print ids only");
  line.flag("--no-trunc", no_trunc, "Do not shorten ids");
  line.flag("--digests", digests, "Show the digests of manifests");
  line.values("-f,--filter", request.filters, "KEY=VALUE",
              "reference=GLOB, dangling=BOOL, label=NAME[=VALUE], before=IMAGE, since=IMAGE, "
              "until=TIME, readonly=BOOL");
  line.value("--format", format, "table|json|TEMPLATE",
             "How to print; TEMPLATE as '{{.Repository}}:{{.Tag}}'");
  line.argument("NAME", name, "Images of this name only, with or without a tag", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (!name.empty()) {
    request.filters.push_back("reference=" + name);
  }
  const Outcome<std::vector<Image>> list = images(request);
  if (!list) {
    return complain(list.failure());
  }
  if (quiet) {
    std::set<std::string> seen;
    for (const Image& image : list.value()) {
      if (seen.insert(image.id).second) {
        std::printf("%s\n", shown_id(image, no_trunc).c_str());
      }
    }
    return 0;
  }
  if (format == "json") {
    print_json(list.value());
    return 0;
  }
  return print_rows(format, columns_of(list.value(), digests), rows_of(list.value(), no_trunc));
}

}  // namespace sbx::cli
