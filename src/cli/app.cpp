#include "cli/app.hpp"

#include <algorithm>
#include <cstdio>

#include <sbx/log.hpp>
#include <sbx/similar.hpp>
#include <sbx/version.hpp>

#include "cli/render.hpp"

namespace sbx::cli {
namespace {

constexpr int kUsageError = 125;

void print_help() {
  std::fputs(
      "Usage: sbx [--root DIR] [--log-level LEVEL] VERB [OPTIONS]\n\n"
      "Rootless, daemonless sandboxes from OCI images.\n\nVerbs:\n",
      stdout);
  for (const Verb& verb : verbs()) {
    std::printf("  %-10.*s %.*s\n", static_cast<int>(verb.name.size()), verb.name.data(),
                static_cast<int>(verb.summary.size()), verb.summary.data());
  }
  std::fputs(
      "\nOptions:\n"
      "  --root DIR          Directory of images and containers (default: $SBX_ROOT,\n"
      "                      $XDG_DATA_HOME/sbx or ~/.local/share/sbx)\n"
      "  --log-level LEVEL   trace, debug, info, warn (default) or error\n"
      "  --version           Show the version and exit\n"
      "  -h, --help          Show this help and exit\n"
      "\n'sbx VERB --help' tells more of a verb; sbx(1) of everything.\n",
      stdout);
}

int unknown_verb(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs()) {
    names.push_back(verb.name);
  }
  const std::string similar = similar_word(name, names);
  return complain({kUsageError,
                   similar.empty() ? "'" + name + "' is not a verb of sbx\n  hint: see 'sbx --help'"
                                   : "'" + name + "' is not a verb of sbx\n  hint: did you mean '" +
                                         similar + "'?"});
}

/// One global option at `at`; moves it forward. An exit code if there is nothing more to do, else -1.
int take_option(const Words& words, std::size_t& at, GlobalOptions& global) {
  const std::string& word = words[at];
  if (word == "-h" || word == "--help") {
    print_help();
    return 0;
  }
  if (word == "--version") {
    std::printf("sbx version %s\n", version().c_str());
    return 0;
  }
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  if (name != "--root" && name != "--log-level") {
    return complain({kUsageError, "unknown option '" + name + "'\n  hint: see 'sbx --help'"});
  }
  if (equals == std::string::npos && at + 1 == words.size()) {
    return complain({kUsageError, "option '" + name + "' needs a value"});
  }
  const std::string value = equals == std::string::npos ? words[++at] : word.substr(equals + 1);
  ++at;
  if (name == "--root") {
    global.root = value;
    return -1;
  }
  return set_log_level(value) ? -1 : complain({kUsageError, "'" + value + "' is not a log level"});
}

}  // namespace

int main_program(const Words& words) {
  GlobalOptions global;
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    if (const int code = take_option(words, at, global); code >= 0) {
      return code;
    }
  }
  if (at == words.size()) {
    print_help();
    return kUsageError;
  }
  const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                 [&](const Verb& v) { return v.name == words[at]; });
  if (verb == verbs().end()) {
    return unknown_verb(words[at]);
  }
  return verb->run(global, Words(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end()));
}

}  // namespace sbx::cli
