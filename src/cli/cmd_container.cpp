#include <algorithm>
#include <array>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/prune.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// docker's and podman's second spelling of verbs; those of other names first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kSynonyms{
    {{"ls", "ps"}, {"list", "ps"}}};
constexpr std::array<std::string_view, 26> kSame{
    "attach", "commit", "cp",      "create", "diff",    "exec", "export", "inspect", "kill",
    "logs",   "pause",  "port",    "ps",     "rename",  "rm",   "run",    "start",   "stats",
    "stop",   "top",    "restart", "update", "unpause", "wait", "mount",  "umount"};

std::string_view verb_name(std::string_view word) {
  for (const auto& [synonym, name] : kSynonyms) {
    if (synonym == word) {
      return name;
    }
  }
  return std::find(kSame.begin(), kSame.end(), word) != kSame.end() ? word : std::string_view();
}

const Verb* verb_of(const Words& words) {
  const std::string_view name = words.empty() ? std::string_view() : verb_name(words.front());
  const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                 [name](const Verb& one) { return one.name == name; });
  return verb == verbs().end() ? nullptr : &*verb;
}

}  // namespace

int cmd_container(const GlobalOptions& global, const Words& words) {
  if (const Verb* verb = verb_of(words)) {
    return verb->run(global, Words(words.begin() + 1, words.end()));
  }
  PruneOptions options{.root = global.root, .containers = true, .images = false};
  bool force = false;
  std::string action;
  CommandLine line("container",
                   "prune: remove containers that do not run. ls, run, rm, stop, logs and so on: "
                   "as the verbs ps, run, rm, stop, logs.");
  line.flag("-f,--force", force, "prune: do not ask");
  line.values("--filter", options.filters, "KEY=VALUE",
              "prune: until=TIME, label=NAME[=VALUE] or label!=NAME[=VALUE]");
  line.argument("ACTION", action, "prune, or one of the verbs of containers");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (action != "prune") {
    return refuse("'" + action +
                  "' is not an action of container\n  hint: see 'sbx container --help'");
  }
  return prune_and_print(options, force, "  - all containers that are not running");
}

}  // namespace sbx::cli
