#include <cstdio>

#include <sbx/version.hpp>

#include "cli/command_line.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {

int cmd_version(const GlobalOptions&, const Words& words) {
  CommandLine line("version", "Show the version.");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  std::printf("sbx version %s\n", version().c_str());
  return 0;
}

}  // namespace sbx::cli
