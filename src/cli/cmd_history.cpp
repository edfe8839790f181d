#include <algorithm>
#include <cstdio>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/json_text.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

constexpr std::size_t kShownCommand = 45;  // as docker

void print_json(const std::vector<ImageStep>& steps) {
  JsonText json;
  json.begin_array();
  for (const ImageStep& step : steps) {
    json.begin_object();
    json.member("Id", step.id.empty() ? std::string() : "sha256:" + step.id);
    json.member("Created", step.created);
    json.member("CreatedBy", step.created_by);
    json.member("Size", step.size);
    json.member("Comment", step.comment);
    json.end_object();
  }
  json.end_array();
  std::printf("%s\n", json.text().c_str());
}

/// On one line, and nothing in it that a terminal would obey: it comes from the image.
std::string one_line(const std::string& text, bool whole) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control ? ' ' : c;
  }
  if (whole || out.size() <= kShownCommand) {
    return out;
  }
  out.resize(kShownCommand - 3);
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0x80U) != 0) {
    out.pop_back();  // not in the middle of a character
  }
  return out + "...";
}

}  // namespace

int cmd_history(const GlobalOptions& global, const Words& words) {
  std::string image;
  std::string format;
  bool no_trunc = false;
  bool quiet = false;
  std::optional<bool> human;
  CommandLine line("history", "Show the steps by which an image was made, newest first.");
  line.flag("--no-trunc", no_trunc, "Do not shorten ids and commands");
  line.flag("-q,--quiet", quiet, "Print ids only");
  line.tristate("-H,--human", human,
                "Sizes and ages for people (default); =false: bytes and times");
  line.value("--format", format, "table|json|TEMPLATE", "How to print");
  line.argument("IMAGE", image, "Name, id or digest");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<std::vector<ImageStep>> steps = image_history(global.root, image);
  if (!steps) {
    return complain(steps.failure());
  }
  if (format == "json") {
    print_json(steps.value());
    return 0;
  }
  std::vector<Row> rows;
  for (const ImageStep& step : steps.value()) {
    const std::string id = step.id.empty() ? "<missing>"
                           : no_trunc      ? "sha256:" + step.id
                                           : step.id.substr(0, 12);
    if (quiet) {
      std::printf("%s\n", id.c_str());
      continue;
    }
    const bool for_people = human.value_or(true);
    rows.push_back({{"ID", id},
                    {"CreatedSince", for_people ? human_age(step.created) : step.created},
                    {"CreatedAt", step.created},
                    {"CreatedBy", one_line(step.created_by, no_trunc)},
                    {"Size", for_people ? human_size(step.size) : std::to_string(step.size)},
                    {"Comment", one_line(step.comment, true)}});
  }
  if (quiet) {
    return 0;
  }
  return print_rows(format,
                    {{{"ID", "IMAGE"},
                      {"CreatedSince", "CREATED"},
                      {"CreatedAt", "CREATED AT"},
                      {"CreatedBy", "CREATED BY"},
                      {"Size", "SIZE"},
                      {"Comment", "COMMENT"}},
                     {"ID", "CreatedSince", "CreatedBy", "Size", "Comment"}},
                    rows);
}

}  // namespace sbx::cli
