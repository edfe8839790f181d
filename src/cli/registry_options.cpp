#include "cli/registry_options.hpp"

#include <array>

namespace sbx::cli {

void add_registry_options(CommandLine& line, RegistryOptions& options) {
  line.value("--authfile", options.auth_file, "FILE",
             "Credentials (default: the files of podman and docker)");
  line.tristate("--tls-verify", options.tls_verify,
                "Require https with a valid certificate (default; --tls-verify=false: do not)");
}

void add_progress_option(CommandLine& line, ProgressMode& mode) {
  line.choice(
      "--progress", {"auto", "live", "plain", "json", "quiet"},
      [&mode](std::size_t index) {
        constexpr std::array<ProgressMode, 5> kModes{ProgressMode::kAuto, ProgressMode::kLive,
                                                     ProgressMode::kPlain, ProgressMode::kJson,
                                                     ProgressMode::kQuiet};
        mode = kModes.at(index);
      },
      "How to show it on standard error: auto (default), live, plain, json, quiet");
}

}  // namespace sbx::cli
