#include "cli/prune.hpp"

#include <array>
#include <cstdio>

#include "cli/render.hpp"

namespace sbx::cli {
/// As docker: anything but y and yes is a no.
bool agreed(const std::string& warning) {
  std::printf("WARNING! This will remove:\n%s\nAre you sure you want to continue? [y/N] ",
              warning.c_str());
  std::fflush(stdout);
  std::array<char, 16> answer{};
  if (std::fgets(answer.data(), static_cast<int>(answer.size()), stdin) == nullptr) {
    std::printf("\n");
    return false;
  }
  const std::string word(answer.data());
  return word == "y\n" || word == "Y\n" || word == "yes\n";
}

void print_pruned_volumes(const std::vector<std::string>& names) {
  if (names.empty()) {
    return;
  }
  std::printf("Deleted Volumes:\n");
  for (const std::string& name : names) {
    std::printf("%s\n", name.c_str());
  }
  std::printf("\n");
}

int prune_and_print(const PruneOptions& options, bool force, const std::string& warning) {
  if (!force && !agreed(warning)) {
    return 0;
  }
  const Outcome<Pruned> pruned = prune(options);
  if (!pruned) {
    return complain(pruned.failure());
  }
  if (!pruned.value().containers.empty()) {
    std::printf("Deleted Containers:\n");
    for (const std::string& id : pruned.value().containers) {
      std::printf("%s\n", id.c_str());
    }
    std::printf("\n");
  }
  print_pruned_volumes(pruned.value().volumes);
  if (!pruned.value().images.empty()) {
    std::printf("Deleted Images:\n");
    for (const Removed& image : pruned.value().images) {
      for (const std::string& name : image.untagged) {
        std::printf("untagged: %s\n", name.c_str());
      }
      std::printf("deleted: sha256:%s\n", image.deleted.c_str());
    }
    std::printf("\n");
  }
  std::printf("Total reclaimed space: %s\n", human_size(pruned.value().bytes).c_str());
  return 0;
}

}  // namespace sbx::cli
