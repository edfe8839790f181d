#include "registry/link_header.hpp"

#include <algorithm>
#include <cctype>

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxHeader = 8192;
constexpr int kMaxLinks = 16;

void trim(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// Up to the next `stop` outside of quotes; takes it away from `text`.
std::string_view take_until(std::string_view& text, std::string_view stops) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == '\\' && quoted) {
      ++at;
    } else if (!quoted && stops.find(text[at]) != std::string_view::npos) {
      break;
    }
  }
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(part.size());
  return part;
}

bool has_relation_next(std::string_view parameters) {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);  // the ";"
    std::string_view parameter = take_until(parameters, ";");
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) {
      continue;
    }
    std::string_view name = parameter.substr(0, equals);
    std::string_view value = parameter.substr(equals + 1);
    trim(name);
    trim(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (same_word(name, "rel") && same_word(value, "next")) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> next_link(std::string_view header) {
  if (header.size() > kMaxHeader) {
    return std::nullopt;
  }
  for (int count = 0; count < kMaxLinks && !header.empty(); ++count) {
    trim(header);
    const std::size_t end = header.find('>');
    if (!header.starts_with('<') || end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view target = header.substr(1, end - 1);
    header.remove_prefix(end + 1);
    std::string_view parameters = take_until(header, ",");
    trim(parameters);
    if (!parameters.empty() && parameters.front() == ';' && has_relation_next(parameters)) {
      return target.empty() ? std::nullopt : std::optional(std::string(target));
    }
    if (!header.empty()) {
      header.remove_prefix(1);  // the ","
    }
  }
  return std::nullopt;
}

}  // namespace sbx::registry
