#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "cli/command_line.hpp"
#include "cli/prune.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// docker's second spelling of verbs.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSynonyms{{
    {"ls", "images"},
    {"list", "images"},
    {"rm", "rmi"},
    {"inspect", "inspect"},
    {"history", "history"},
    {"load", "load"},
    {"save", "save"},
    {"import", "import"},
    {"tag", "tag"},
    {"untag", "untag"},
}};

const Verb* synonym(const Words& words) {
  for (const auto& [word, name] : kSynonyms) {
    if (!words.empty() && words.front() == word) {
      return &*std::find_if(verbs().begin(), verbs().end(),
                            [name = name](const Verb& verb) { return verb.name == name; });
    }
  }
  return nullptr;
}

}  // namespace

int cmd_image(const GlobalOptions& global, const Words& words) {
  if (const Verb* verb = synonym(words)) {
    Words rest(words.begin() + 1, words.end());
    if (verb->name == "inspect") {  // it would look for a container first
      rest.insert(rest.begin(), "--type=image");
    }
    return verb->run(global, rest);
  }
  PruneOptions options;
  options.root = global.root;
  bool force = false;
  std::string action;
  CommandLine line("image",
                   "prune: remove images without a name. ls, rm, inspect, history, load, save, "
                   "import, tag, untag: as the verbs images, rmi, inspect and so on.");
  line.flag("-a,--all", options.all, "prune: every image that no container uses");
  line.flag("-f,--force", force, "prune: do not ask");
  line.values("--filter", options.filters, "KEY=VALUE",
              "prune: until=TIME, label=NAME[=VALUE] or label!=NAME[=VALUE]");
  line.argument("ACTION", action, "prune, or one of the verbs named above");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (action != "prune") {
    return complain(
        {125, "'" + action + "' is not an action of image\n  hint: see 'sbx image --help'"});
  }
  return prune_and_print(
      options, force,
      options.all ? "  - all images that no container uses" : "  - all images without a name");
}

}  // namespace sbx::cli
