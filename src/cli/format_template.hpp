#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx::cli {

/// The part of Go's templates that `--format` of docker and podman is used with: text, \t and \n, {{.Field}}, {{.Field.Member}},
/// {{json .}} and {{json .Field}}; "table …" asks for columns (parted by \t) under headings. Everything else is refused.
class FormatTemplate {
 public:
  /// The value of a field ("" is the whole), as text or as JSON.
  using Lookup = std::function<Outcome<std::string>(const std::string& field, bool json)>;

  static Outcome<FormatTemplate> parse(const std::string& text);

  [[nodiscard]] bool is_table() const { return table_; }
  [[nodiscard]] Outcome<std::string> render(const Lookup& lookup) const;

 private:
  struct Piece {
    std::string text;   // as it is
    std::string field;  // if `is_field`
    bool is_field = false;
    bool json = false;
  };
  static Outcome<Piece> parse_action(const std::string& action);

  bool table_ = false;
  std::vector<Piece> pieces_;
};

/// A row of a listing: values by field.
using Row = std::map<std::string, std::string>;

/// Fields and the headings of their columns; those that the default table shows come first.
struct Columns {
  std::vector<std::pair<std::string, std::string>> all;
  std::vector<std::string> shown;
};

/// Prints rows by a template, or as a table if it is empty or "table"; the exit code.
int print_rows(const std::string& format, const Columns& columns, const std::vector<Row>& rows);

/// Prints one JSON document by a template; the exit code.
int print_by_template(const std::string& format, const std::string& json);

}  // namespace sbx::cli
