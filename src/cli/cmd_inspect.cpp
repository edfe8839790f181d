#include <cstdio>

#include <sbx/image.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_inspect(const GlobalOptions& global, const Words& words) {
  std::vector<std::string> names;
  std::string format = "json";
  CommandLine line("inspect",
                   "Show what is known of images, as a JSON array with docker's member names.");
  line.value("-f,--format", format, "json|TEMPLATE",
             "How to print; TEMPLATE as '{{.Id}}' or '{{json .Config.Env}}'");
  line.arguments("IMAGE", names, "Name, id or digest");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  int worst = 0;
  std::string all;
  for (const std::string& name : names) {
    const Outcome<std::string> found = inspect_image(global.root, name);
    if (!found) {
      worst = complain(found.failure());
    } else if (format == "json") {
      all += (all.empty() ? "" : ",\n") + found.value();
    } else if (const int code = print_by_template(format, found.value()); code != 0) {
      worst = code;
    }
  }
  if (format == "json") {
    std::printf("[%s]\n", all.c_str());
  }
  return worst;
}

}  // namespace sbx::cli
