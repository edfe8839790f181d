#include <algorithm>

#include <sbx/container.hpp>

#include "cli/attach_options.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

constexpr std::string_view kPolicy = "restart-policy=";

/// What runs already is left out; of policy unless-stopped also what was stopped.
bool is_wanted(const Container& one, const std::vector<std::string>& policies) {
  const bool matches = policies.empty() ||
                       std::find(policies.begin(), policies.end(), one.restart) != policies.end();
  return matches && one.pid == 0 && !(one.stopped && one.restart == "unless-stopped");
}

/// The ids of all, or of those whose policy is one of `filters`.
Outcome<std::vector<std::string>> all_containers(const std::string& root,
                                                 const std::vector<std::string>& filters) {
  std::vector<std::string> policies;
  for (const std::string& filter : filters) {
    if (!filter.starts_with(kPolicy)) {
      return Failure{125, "--filter '" + filter +
                              "' is not supported\n  hint: restart-policy=always and the other "
                              "policies are"};
    }
    policies.push_back(filter.substr(kPolicy.size()));
  }
  const Outcome<std::vector<Container>> list = containers(root);
  if (!list) {
    return list.failure();
  }
  std::vector<std::string> out;
  for (const Container& one : list.value()) {
    if (is_wanted(one, policies)) {
      out.push_back(one.id);
    }
  }
  return out;
}

}  // namespace

int cmd_start(const GlobalOptions& global, const Words& words) {
  ContainerChoice choice;
  std::vector<std::string> filters;
  AttachOptions options;
  bool attach = false;
  bool interactive = false;
  CommandLine line("start", "Run containers that were created or have ended, in the background.");
  line.flag("-a,--attach", attach, "Pass its streams on, and wait for its end: one container");
  line.flag("-i,--interactive", interactive, "The same, with standard input");
  add_attach_options(line, options);
  line.flag("--all", choice.all, "All that do not run");
  line.values("-f,--filter", filters, "restart-policy=POLICY",
              "With --all: only those; of unless-stopped not those that were stopped");
  add_choice(line, choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (!choice.all && !filters.empty()) {
    return refuse("--filter goes with --all");
  }
  const bool some = choice.all && choice.names.empty() && !choice.latest;
  const auto chosen =
      some ? all_containers(global.root, filters)
           : chosen_containers(global.root, choice, [](const Container&) { return true; });
  if (!chosen) {
    return complain(chosen.failure());
  }
  if (attach || interactive) {
    if (chosen.value().size() != 1) {
      return refuse("--attach and --interactive are for one container");
    }
    options.input = interactive;
    const Outcome<int> code = start_attached(global.root, chosen.value().front(), options);
    return code ? code.value() : complain(code.failure());
  }
  return each_container(
      chosen.value(), [&](const std::string& name) { return start_container(global.root, name); });
}

}  // namespace sbx::cli
