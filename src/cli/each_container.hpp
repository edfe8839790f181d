#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sbx/outcome.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"

namespace sbx::cli {

/// Does something to each container that was named, and prints the name as it was given, as docker does. The exit code: that of
/// the last failure, which does not keep the others from their turn.
int each_container(const std::vector<std::string>& names,
                   const std::function<Outcome<std::monostate>(const std::string&)>& action);

/// The names that were given, or with `all` the ids of all containers that `wanted` accepts. An error to have both or none.
Outcome<std::vector<std::string>> chosen_containers(
    const std::string& root, const std::vector<std::string>& names, bool all,
    const std::function<bool(const std::string& status)>& wanted);

/// Seconds, a whole number, negative ones too.
std::optional<int> read_seconds(const std::string& text);

/// Which containers are to be stopped, and when they are killed.
struct StopWords {
  std::vector<std::string> names;
  std::optional<int> seconds;
};

/// The words of `stop` and `restart`; or the exit code if there is nothing more to do.
std::variant<StopWords, int> read_stop_words(const std::string& root, CommandLine& line,
                                             const Words& words);

}  // namespace sbx::cli
