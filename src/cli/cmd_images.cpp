#include <cstdio>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
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
  const std::size_t colon = name.find_last_of(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos) {
    return {name, kNone};  // the colon, if any, is that of a port
  }
  return {name.substr(0, colon), name.substr(colon + 1)};
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
    json.end_object();
  }
  json.end_array();
  std::printf("%s\n", json.text().c_str());
}

void print_list(const std::vector<Image>& list, bool no_trunc) {
  std::vector<std::vector<std::string>> rows{{"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"}};
  for (const Image& image : list) {
    const std::string id = no_trunc ? "sha256:" + image.id : image.id.substr(0, 12);
    const std::vector<std::string> nameless{std::string()};
    for (const std::string& name : image.names.empty() ? nameless : image.names) {
      const NameParts parts = name.empty() ? NameParts{} : split_name(name);
      rows.push_back(
          {parts.repository, parts.tag, id, human_age(image.created), human_size(image.size)});
    }
  }
  print_table(rows);
}

}  // namespace

int cmd_images(const GlobalOptions& global, const Words& words) {
  bool quiet = false;
  bool no_trunc = false;
  bool json = false;
  CommandLine line("images", "List the images of the store.");
  line.flag("-q,--quiet", quiet, "Print ids only");
  line.flag("--no-trunc", no_trunc, "Do not shorten ids");
  line.choice(
      "--format", {"table", "json"}, [&json](std::size_t index) { json = index == 1; },
      "How to print");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<std::vector<Image>> list = images(global.root);
  if (!list) {
    return complain(list.failure());
  }
  if (json) {
    print_json(list.value());
  } else if (quiet) {
    for (const Image& image : list.value()) {
      std::printf("%s\n",
                  no_trunc ? ("sha256:" + image.id).c_str() : image.id.substr(0, 12).c_str());
    }
  } else {
    print_list(list.value(), no_trunc);
  }
  return 0;
}

}  // namespace sbx::cli
