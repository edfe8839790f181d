#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/render.hpp"
#include "cli/suggest.hpp"

namespace sbx::cli {
namespace {

constexpr int kUsageError = 125;

}  // namespace

CommandLine::CommandLine(const std::string& verb, const std::string& summary)
    : app_(std::make_unique<CLI::App>(summary, "sbx " + verb)), verb_(verb) {
  app_->set_help_flag("--help", "Show this help and exit");
  app_->get_formatter()->column_width(34);
}

CommandLine::~CommandLine() = default;

void CommandLine::flag(const std::string& names, bool& target, const std::string& help) {
  app_->add_flag(names, target, help);
}

void CommandLine::tristate(const std::string& names, std::optional<bool>& target, const std::string& help) {
  // CLI11 counts --name=false as -1.
  app_->add_flag_function(
      names, [&target](std::int64_t count) { target = count > 0; }, help);
}

void CommandLine::value(const std::string& names, std::string& target, const std::string& metavar,
                        const std::string& help) {
  app_->add_option(names, target, help)->type_name(metavar);
}

void CommandLine::value(const std::string& names, std::optional<std::string>& target, const std::string& metavar,
                        const std::string& help) {
  app_->add_option_function<std::string>(
          names, [&target](const std::string& text) { target = text; }, help)
      ->type_name(metavar);
}

void CommandLine::values(const std::string& names, std::vector<std::string>& target, const std::string& metavar,
                         const std::string& help) {
  app_->add_option(names, target, help)->type_name(metavar)->allow_extra_args(false)->expected(1);
}

void CommandLine::choice(const std::string& names, const std::vector<std::string>& choices,
                         std::function<void(std::size_t)> chosen, const std::string& help) {
  std::string metavar;
  for (const std::string& choice : choices) {
    metavar += (metavar.empty() ? "" : "|") + choice;
  }
  app_->add_option_function<std::string>(
          names,
          [choices, chosen = std::move(chosen), names](const std::string& text) {
            const auto it = std::find(choices.begin(), choices.end(), text);
            if (it == choices.end()) {
              throw CLI::ValidationError(names, "'" + text + "' is not supported");
            }
            chosen(static_cast<std::size_t>(it - choices.begin()));
          },
          help)
      ->type_name(metavar);
}

void CommandLine::argument(const std::string& name, std::string& target, const std::string& help, bool required) {
  app_->add_option(name, target, help)->type_name("")->required(required);
}

void CommandLine::arguments(const std::string& name, std::vector<std::string>& target, const std::string& help,
                            bool required) {
  app_->add_option(name, target, help)->type_name("")->required(required);
}

void CommandLine::arguments_end_options() { app_->positionals_at_end(); }

std::optional<int> CommandLine::parse(const Words& words) {
  // CLI11 takes them from the back.
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    app_->parse(reversed);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_->help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain({kUsageError, std::string(e.what()) + "\n  hint: see 'sbx " + verb_ + " --help'"});
  }
}

}  // namespace sbx::cli
