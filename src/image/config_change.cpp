#include "image/config_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace sbx::image {
namespace {

using Words = std::vector<std::string>;

Unexpected<Error> refuse(std::string_view change, std::string reason) {
  return fail(Error::make(ErrorCode::kInvalidArgument, "apply change", change, std::move(reason)));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// A shell's words: blanks part them; '…', "…" and \ keep.
Result<Words> split_words(std::string_view text) {
  Words out;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
      in_word = true;
    } else if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
      word += quote == '\0' ? "" : std::string(1, c);
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (!is_space(c)) {
      word += c;
      in_word = true;
    } else if (std::exchange(in_word, false)) {
      out.push_back(std::exchange(word, {}));
    }
  }
  if (quote != '\0') {
    return refuse(text, "a quote is not closed");
  }
  if (in_word) {
    out.push_back(std::move(word));
  }
  return out;
}

/// ["a", "b"]; nullopt if it is not a JSON array of strings.
std::optional<Words> exec_form(std::string_view text) {
  if (!text.starts_with('[')) {
    return std::nullopt;
  }
  const Result<Json> array = parse_json(text, "change");
  if (!array || !array->is_array()) {
    return std::nullopt;
  }
  Words out;
  for (const Json& item : *array) {
    if (!item.is_string()) {
      return std::nullopt;
    }
    out.push_back(item.get<std::string>());
  }
  return out;
}

/// CMD and ENTRYPOINT: words, or a line for the shell.
Words command_of(std::string_view text) {
  return exec_form(text).value_or(Words{"/bin/sh", "-c", std::string(text)});
}

/// NAME=VALUE…, or the old "NAME VALUE".
Result<std::vector<std::pair<std::string, std::string>>> pairs_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  Words words = SBX_TRY(split_words(text));
  if (words.size() >= 2 && words.front().find('=') == std::string::npos) {
    const std::string name = words.front();
    return std::vector{std::pair(name, std::string(trimmed(text.substr(name.size()))))};
  }
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return refuse(text, "it should be NAME=VALUE");
    }
    out.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return out;
}

Result<void> change_env(Json& config, std::string_view text) {
  Words env;
  if (const auto it = config.find("Env"); it != config.end()) {
    env = it->get<Words>();
  }
  for (const auto& [name, value] : SBX_TRY(pairs_of(text))) {
    const std::string prefix = name + "=";
    env.erase(std::remove_if(env.begin(), env.end(),
                             [&](const std::string& old) { return old.starts_with(prefix); }),
              env.end());
    env.push_back(prefix + value);
  }
  config["Env"] = env;
  return {};
}

Result<void> change_labels(Json& config, std::string_view text) {
  for (const auto& [name, value] : SBX_TRY(pairs_of(text))) {
    config["Labels"][name] = value;
  }
  return {};
}

bool is_port(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits > 0 && digits <= 5 && digits == text.size() &&
         std::stoul(std::string(text)) <= 65535;
}

/// PORT[-PORT][/PROTOCOL]
Result<void> change_ports(Json& config, std::string_view text) {
  for (const std::string& word : SBX_TRY(split_words(text))) {
    const std::size_t slash = word.find('/');
    const std::string protocol = slash == std::string::npos ? "tcp" : word.substr(slash + 1);
    const std::string ports = word.substr(0, slash);
    const std::size_t dash = ports.find('-');
    const bool right = is_port(ports.substr(0, dash)) &&
                       (dash == std::string::npos || is_port(ports.substr(dash + 1)));
    if (!right || (protocol != "tcp" && protocol != "udp" && protocol != "sctp")) {
      return refuse(text, fmt::format("'{}' is not PORT[/tcp|udp|sctp]", printable(word)));
    }
    config["ExposedPorts"][ports + "/" + protocol] = Json::object();
  }
  return {};
}

Result<void> change_volumes(Json& config, std::string_view text) {
  const std::optional<Words> array = exec_form(text);
  for (const std::string& path : array ? *array : SBX_TRY(split_words(text))) {
    if (path.empty()) {
      return refuse(text, "a volume has no path");
    }
    config["Volumes"][path] = Json::object();
  }
  return {};
}

Result<void> change_directory(Json& config, std::string_view text) {
  const Words words = SBX_TRY(split_words(text));
  if (words.size() != 1) {
    return refuse(text, "one directory is needed");
  }
  std::string path = words.front();
  if (!path.starts_with('/')) {
    const auto it = config.find("WorkingDir");
    const std::string base = it == config.end() ? "" : it->get<std::string>();
    path = base + (base.ends_with('/') ? "" : "/") + path;
  }
  config["WorkingDir"] = path;
  return {};
}

Result<void> change_word(Json& config, const char* member, std::string_view text) {
  const Words words = SBX_TRY(split_words(text));
  if (words.size() != 1) {
    return refuse(text, "one word is needed");
  }
  config[member] = words.front();
  return {};
}

}  // namespace

Result<void> apply_change(Json& config, std::string_view change) {
  const std::string_view whole = trimmed(change);
  const std::size_t end = std::min(whole.find_first_of(" \t\n="), whole.size());
  std::string word(whole.substr(0, end));
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const std::string_view rest =
      trimmed(end == whole.size() ? std::string_view() : whole.substr(end + 1));
  if (rest.empty()) {
    return refuse(change, "it has no value");
  }
  if (word == "CMD" || word == "ENTRYPOINT") {
    config[word == "CMD" ? "Cmd" : "Entrypoint"] = command_of(rest);
    return {};
  }
  using Change = Result<void> (*)(Json&, std::string_view);
  const std::array<std::pair<std::string_view, Change>, 7> changes{{
      {"ENV", change_env},
      {"LABEL", change_labels},
      {"EXPOSE", change_ports},
      {"VOLUME", change_volumes},
      {"WORKDIR", change_directory},
      {"USER", [](Json& c, std::string_view t) { return change_word(c, "User", t); }},
      {"STOPSIGNAL", [](Json& c, std::string_view t) { return change_word(c, "StopSignal", t); }},
  }};
  for (const auto& [name, apply] : changes) {
    if (word == name) {
      return apply(config, rest);
    }
  }
  return refuse(change,
                "it should begin with CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, "
                "VOLUME or WORKDIR");
}

}  // namespace sbx::image
