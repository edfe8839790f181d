#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "cli/render.hpp"

namespace sbx::cli {
namespace {

constexpr int kUsageError = 125;

bool takes_value(CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// Whether the value of the option(s) in `word` is the next word.
bool value_follows(CLI::App& app, const std::string& word) {
  if (word.starts_with("--")) {
    return word.find('=') == std::string::npos && takes_value(app, word);
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (takes_value(app, {'-', word[i]})) {
      return i + 1 == word.size();
    }
  }
  return false;
}

/// CLI11 takes "--name=" for an option without its value and eats the next word: "--name" "" says what is meant.
std::vector<std::string> with_empty_values(CLI::App& app, const Words& words) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-') && words[at] != "--") {
    const std::string& word = words[at++];
    if (word.starts_with("--") && word.find('=') == word.size() - 1) {
      out.insert(out.end(), {word.substr(0, word.size() - 1), ""});
      continue;
    }
    out.push_back(word);
    if (at < words.size() && value_follows(app, word)) {
      out.push_back(words[at++]);
    }
  }
  out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  return out;
}

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

void CommandLine::tristate(const std::string& names, std::optional<bool>& target,
                           const std::string& help) {
  // CLI11 counts --name=false as -1.
  app_->add_flag_function(
      names, [&target](std::int64_t count) { target = count > 0; }, help);
}

void CommandLine::value(const std::string& names, std::string& target, const std::string& metavar,
                        const std::string& help) {
  app_->add_option(names, target, help)->type_name(metavar);
}

void CommandLine::value(const std::string& names, std::optional<std::string>& target,
                        const std::string& metavar, const std::string& help) {
  // Not by CLI11's conversion, which takes an empty word for no word: --entrypoint "" means something.
  app_->add_option(
          names,
          [&target](const CLI::results_t& words) {
            target = words.empty() ? std::string() : words.back();
            return true;
          },
          help)
      ->type_name(metavar)
      ->type_size(1)
      ->expected(1);
}

void CommandLine::values(const std::string& names, std::vector<std::string>& target,
                         const std::string& metavar, const std::string& help) {
  app_->add_option(names, target, help)->type_name(metavar)->allow_extra_args(false);
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

void CommandLine::argument(const std::string& name, std::string& target, const std::string& help,
                           bool required) {
  app_->add_option(name, target, help)->type_name("")->required(required);
}

void CommandLine::arguments(const std::string& name, std::vector<std::string>& target,
                            const std::string& help, bool required) {
  app_->add_option(name, target, help)->type_name("")->required(required);
}

void CommandLine::arguments_end_options() { app_->positionals_at_end(); }

std::optional<int> CommandLine::parse(const Words& words) {
  std::vector<std::string> reversed = with_empty_values(*app_, words);
  std::reverse(reversed.begin(), reversed.end());  // CLI11 takes them from the back
  try {
    app_->parse(reversed);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_->help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return complain(
        {kUsageError, std::string(e.what()) + "\n  hint: see 'sbx " + verb_ + " --help'"});
  } catch (const std::logic_error&) {
    // CLI11 lets those of its number conversion through: a switch with a value that is none.
    return complain(
        {kUsageError, "a switch takes =true or =false\n  hint: see 'sbx " + verb_ + " --help'"});
  }
}

}  // namespace sbx::cli
