#include <cstdio>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_rm(const GlobalOptions& global, const Words& words) {
  ContainerChoice choice;
  bool force = false;
  bool volumes = false;
  CommandLine line("rm", "Remove containers, with all that they wrote.");
  line.flag("-f,--force", force, "Also one that runs, which is killed; no error if there is none");
  line.flag("-v,--volumes", volumes, "With the volumes that were made for it without a name");
  line.flag("-a,--all", choice.all, "All that do not run; with --force all");
  add_choice(line, choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const auto chosen = chosen_containers(
      global.root, choice, [&](const Container& one) { return force || !is_running(one); });
  if (!chosen) {
    return complain(chosen.failure());
  }
  int worst = 0;
  for (const std::string& name : chosen.value()) {
    const Outcome<bool> removed = remove_container(global.root, name, force, volumes);
    if (!removed) {
      worst = complain(removed.failure());
    } else if (removed.value()) {
      std::printf("%s\n", name.c_str());
      std::fflush(stdout);  // before a complaint about the next
    }
  }
  return worst;
}

}  // namespace sbx::cli
