// sbx-overlay: the overlay file system as a mount program of container engines; see README.md.

#include <cstdio>
#include <string>
#include <vector>

#include "overlay_mount/mount.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto options = sbx::overlay_mount::Options::parse(words);
  if (options && options->action == sbx::overlay_mount::Options::Action::kHelp) {
    (void)std::fputs(sbx::overlay_mount::usage().c_str(), stdout);
    return 0;
  }
  if (options && options->action == sbx::overlay_mount::Options::Action::kVersion) {
    (void)std::puts("sbx-overlay " SBX_VERSION);
    return 0;
  }
  const auto done = options ? sbx::overlay_mount::mount_and_serve(*options)
                            : sbx::Result<void>(sbx::fail(options.error()));
  if (!done) {
    (void)std::fprintf(stderr, "sbx-overlay: %s\n", done.error().message().c_str());
    return 1;
  }
  return 0;
}
