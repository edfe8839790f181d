#pragma once

#include <string>
#include <vector>

#include <sbx/system.hpp>

namespace sbx::cli {

/// Asks on the terminal whether that is to be removed.
bool agreed(const std::string& warning);

/// As docker; nothing for none.
void print_pruned_volumes(const std::vector<std::string>& names);

/// Asks on the terminal unless `force`; then removes and prints what was removed. `warning` says what will go. The exit code.
int prune_and_print(const PruneOptions& options, bool force, const std::string& warning);

}  // namespace sbx::cli
