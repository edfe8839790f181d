#include "cli/verbs.hpp"

namespace sbx::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> kVerbs{
      {"run", "Run a command in a new sandbox", cmd_run},
      {"shell",
       "Open a developer's shell: your id, home and current directory, a file tree of its own",
       cmd_shell},
      {"load", "Load an image from a directory or an archive of this machine", cmd_load},
      {"images", "List images", cmd_images},
      {"tag", "Give an image another name", cmd_tag},
      {"rmi", "Remove images", cmd_rmi},
      {"inspect", "Show what is known of images, as JSON", cmd_inspect},
      {"doctor", "Tell what this machine lacks for sandboxes, and how to mend it", cmd_doctor},
      {"version", "Show the version", cmd_version},
  };
  return kVerbs;
}

}  // namespace sbx::cli
