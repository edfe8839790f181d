#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sbx/container.hpp>
#include <sbx/outcome.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"

namespace sbx::cli {

/// Does something to each container that was named, and prints the name as it was given, as docker does. The exit code: that of
/// the last failure, which does not keep the others from their turn.
int each_container(const std::vector<std::string>& names,
                   const std::function<Outcome<std::monostate>(const std::string&)>& action);

/// How containers were named on the command line.
struct ContainerChoice {
  std::vector<std::string> names;
  bool all = false;
  bool latest = false;
};

/// Adds --latest and the argument CONTAINER.
void add_choice(CommandLine& line, ContainerChoice& choice);

/// The names that were given; with `latest` the id of the container that was made last; with `all` the ids of all that `wanted`
/// accepts. An error to have none of that, or more than one.
Outcome<std::vector<std::string>> chosen_containers(
    const std::string& root, const ContainerChoice& choice,
    const std::function<bool(const Container& container)>& wanted = {});

/// The id of the container that was made last.
Outcome<std::string> latest_container(const std::string& root);

/// The one container of a verb that takes one: `name`, or the latest. An error to have both or none.
Outcome<std::string> chosen_container(const std::string& root, const std::string& name,
                                      bool latest);

/// It runs, paused or not, or is about to do so again.
bool is_running(const Container& container);

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
