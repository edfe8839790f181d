#include "cli/format_template.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include <sbx/json.hpp>

#include "cli/json_text.hpp"
#include "cli/render.hpp"

namespace sbx::cli {
namespace {

constexpr int kUsageError = 125;

Failure bad_template(const std::string& what) {
  return {kUsageError, "cannot format output by '" + what +
                           "': it is not supported\n  hint: write table, json, {{.Field}}, "
                           "{{.Field.Member}} or {{json .Field}}"};
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? std::string()
                                    : text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

/// "\t" and "\n" as they are typed in a shell.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 't' || text[i + 1] == 'n')) {
      out += text[++i] == 't' ? '\t' : '\n';
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> split(const std::string& text, char between) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == between) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::string row_as_json(const Row& row) {
  JsonText json;
  json.begin_object();
  for (const auto& [name, value] : row) {
    json.member(name, value);
  }
  json.end_object();
  std::string text = json.text();  // on one line, as docker
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  return text;
}

FormatTemplate::Lookup lookup_in(const Row& row) {
  return [&row](const std::string& field, bool json) -> Outcome<std::string> {
    if (field.empty()) {
      return row_as_json(row);
    }
    const auto it = row.find(field);
    if (it == row.end()) {
      std::string names;
      for (const auto& [name, value] : row) {
        names += " ." + name;
      }
      return Failure{kUsageError,
                     "there is no field '." + field + "'\n  hint: the fields are" + names};
    }
    if (!json) {
      return it->second;
    }
    JsonText text;
    text.value(it->second);
    return text.text();
  };
}

std::string default_table(const Columns& columns) {
  std::string out = "table ";
  for (const std::string& field : columns.shown) {
    out += (field == columns.shown.front() ? "{{." : "\\t{{.") + field + "}}";
  }
  return out;
}

}  // namespace

Outcome<FormatTemplate::Piece> FormatTemplate::parse_action(const std::string& action) {
  Piece out;
  out.is_field = true;
  std::string field = trimmed(action);
  if (field.starts_with("json ")) {
    out.json = true;
    field = trimmed(field.substr(5));
  }
  const bool named = std::all_of(field.begin(), field.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
  if (!field.starts_with('.') || !named || field.find("..") != std::string::npos ||
      (field == "." && !out.json)) {
    return bad_template("{{" + action + "}}");
  }
  out.field = field.substr(1);
  return out;
}

Outcome<FormatTemplate> FormatTemplate::parse(const std::string& text) {
  FormatTemplate out;
  out.table_ = text.starts_with("table ");
  std::string rest = unescaped(out.table_ ? trimmed(text.substr(6)) : text);
  while (!rest.empty()) {
    const std::size_t open = rest.find("{{");
    if (open != 0) {
      out.pieces_.push_back({rest.substr(0, open), {}, false, false});
      rest.erase(0, open);
      continue;
    }
    const std::size_t close = rest.find("}}");
    if (close == std::string::npos) {
      return bad_template(text);
    }
    Outcome<Piece> piece = parse_action(rest.substr(2, close - 2));
    if (!piece) {
      return piece.failure();
    }
    out.pieces_.push_back(piece.value());
    rest.erase(0, close + 2);
  }
  // docker prints such a text once a line; nobody wants that, and a slip of "json" looks like it.
  const bool any = std::any_of(out.pieces_.begin(), out.pieces_.end(),
                               [](const Piece& piece) { return piece.is_field; });
  return any ? Outcome<FormatTemplate>(std::move(out))
             : Outcome<FormatTemplate>(bad_template(text));
}

Outcome<std::string> FormatTemplate::render(const Lookup& lookup) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (!piece.is_field) {
      out += piece.text;
      continue;
    }
    const Outcome<std::string> value = lookup(piece.field, piece.json);
    if (!value) {
      return value.failure();
    }
    out += value.value();
  }
  return out;
}

int print_rows(const std::string& format, const Columns& columns, const std::vector<Row>& rows) {
  const bool plain = format.empty() || format == "table";
  const Outcome<FormatTemplate> parsed =
      FormatTemplate::parse(plain ? default_table(columns) : format);
  if (!parsed) {
    return complain(parsed.failure());
  }
  const bool table = parsed.value().is_table();
  std::vector<std::vector<std::string>> lines;
  Row headings;
  for (const auto& [field, heading] : columns.all) {
    headings[field] = heading;
  }
  // Rendered without being shown, so that a wrong field is told of an empty listing too.
  const Outcome<std::string> heading = parsed.value().render(lookup_in(headings));
  if (!heading) {
    return complain(heading.failure());
  }
  if (table) {
    lines.push_back(split(heading.value(), '\t'));
  }
  for (const Row& row : rows) {
    const Outcome<std::string> line = parsed.value().render(lookup_in(row));
    if (!line) {
      return complain(line.failure());
    }
    if (table) {
      lines.push_back(split(line.value(), '\t'));
    } else {
      std::printf("%s\n", line.value().c_str());
    }
  }
  print_table(lines);
  return 0;
}

int print_by_template(const std::string& format, const std::string& json) {
  const Outcome<FormatTemplate> parsed = FormatTemplate::parse(format);
  if (!parsed) {
    return complain(parsed.failure());
  }
  const Outcome<std::string> line =
      parsed.value().render([&json](const std::string& field, bool as_json) {
        return json_value(json, field, as_json ? JsonForm::kJson : JsonForm::kText);
      });
  if (!line) {
    return complain(line.failure());
  }
  std::printf("%s\n", line.value().c_str());
  return 0;
}

}  // namespace sbx::cli
