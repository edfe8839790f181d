#include <sbx/files.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// CONTAINER:PATH, or a path of the host: what has no colon, is absolute, or begins with a dot.
struct Side {
  std::string container;  // empty: of the host
  std::string path;
};

Side read_side(const std::string& word) {
  const std::size_t colon = word.find(':');
  const bool host = colon == std::string::npos || colon == 0 || word.front() == '/' ||
                    word.front() == '.' || word.find('/') < colon;
  return host ? Side{"", word} : Side{word.substr(0, colon), word.substr(colon + 1)};
}

}  // namespace

int cmd_cp(const GlobalOptions& global, const Words& words) {
  CopyOptions options;
  options.root = global.root;
  std::string source;
  std::string target;
  bool quiet = false;
  CommandLine line("cp", "Copy files between a container and the host.");
  line.flag("-a,--archive", options.archive, "Keep the owners of files, where they may be given");
  line.flag("-L,--follow-link", options.follow, "If SOURCE is a symbolic link: what it leads to");
  line.flag("-q,--quiet", quiet, "As docker's; nothing is printed in any case");
  line.argument("SOURCE", source, "CONTAINER:PATH, a path of the host, or - for a tar");
  line.argument("TARGET", target, "Likewise: one of the two is of a container");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Side from = read_side(source);
  const Side to = read_side(target);
  if (from.container.empty() == to.container.empty()) {
    return refuse(from.container.empty()
                      ? "neither of the two is a path of a container\n  hint: CONTAINER:PATH"
                      : "files are not copied from one container to another\n  hint: sbx cp "
                        "ONE:PATH - | sbx cp - OTHER:DIRECTORY");
  }
  const Side& inside = from.container.empty() ? to : from;
  options.container = inside.container;
  options.inside = inside.path;
  options.outside = from.container.empty() ? from.path : to.path;
  if (options.inside.empty() || options.outside.empty()) {
    return refuse("a path is empty");
  }
  const auto copied = from.container.empty() ? copy_in(options) : copy_out(options);
  return copied ? 0 : complain(copied.failure());
}

}  // namespace sbx::cli
