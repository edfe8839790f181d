#pragma once

// The one place that knows CLI11. A verb describes its options here; its file stays parse, call, print.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/verbs.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace sbx::cli {

/// Options and arguments of one verb. Targets are borrowed and must outlive parse().
class CommandLine {
 public:
  CommandLine(const std::string& verb, const std::string& summary);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// `names` as "-i,--interactive".
  void flag(const std::string& names, bool& target, const std::string& help);
  /// --name, --name=true, --name=false.
  void tristate(const std::string& names, std::optional<bool>& target, const std::string& help);
  void value(const std::string& names, std::string& target, const std::string& metavar,
             const std::string& help);
  void value(const std::string& names, std::optional<std::string>& target,
             const std::string& metavar, const std::string& help);
  /// May be given several times, one value each.
  void values(const std::string& names, std::vector<std::string>& target,
              const std::string& metavar, const std::string& help);
  /// One of `choices`; `chosen` gets its index.
  void choice(const std::string& names, const std::vector<std::string>& choices,
              std::function<void(std::size_t)> chosen, const std::string& help);
  void argument(const std::string& name, std::string& target, const std::string& help,
                bool required = true);
  /// One or more (or none, if not required).
  void arguments(const std::string& name, std::vector<std::string>& target, const std::string& help,
                 bool required = true);
  /// Everything from the first argument on is an argument, also what looks like an option (as docker run).
  void arguments_end_options();

  /// The exit code if there is nothing more to do (help was asked for, or the words are wrong; both are printed).
  std::optional<int> parse(const Words& words);

 private:
  std::unique_ptr<CLI::App> app_;
  std::string verb_;
};

}  // namespace sbx::cli
