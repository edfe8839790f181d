#include "base/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <stdexcept>

// Header only, and with exceptions: without them toml++ 3.3 goes on parsing after an error and runs into assertions (corpus
// file "quotes"). An assertion of its own becomes an exception, too: no text may end this process.
namespace sbx {
[[noreturn]] static void lost_in_toml() { throw std::logic_error("toml++ got lost in the text"); }
}  // namespace sbx
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : ::sbx::lost_in_toml())
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace sbx {
namespace {

/// Looks at a text before toml++ does, for what it does not bear: keys of many dots and brackets within brackets (it builds a
/// tree that it destroys by recursion), and letters beyond ASCII where it looks for white space (toml++ 3.3 then reaches what
/// it calls unreachable; fuzz corpus "letter-..."). Such letters are TOML in strings and comments only. In a string they are
/// refused after a backslash at the end of a line: TOML, but nobody writes it.
class Scan {
 public:
  enum class Finding { kNothing, kDeep, kLetter };

  explicit Scan(std::string_view text) : text_(text) {}

  [[nodiscard]] Finding find(std::size_t depth) {
    at_ = start_ = text_.starts_with("\xef\xbb\xbf") ? 3 : 0;  // toml++ skips a byte order mark
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size() - 1);
        dots_ = 0;
      } else if ((c == '"' || c == '\'') && begins_something()) {
        skip_string(c);
      } else {
        count(c);
      }
      if (foreign_ || is_letter(c)) {
        return Finding::kLetter;
      }
      if (open_ > depth || dots_ > depth) {
        return Finding::kDeep;
      }
    }
    return Finding::kNothing;
  }

  /// The line of what was found, from 1.
  [[nodiscard]] std::ptrdiff_t line() const {
    const std::string_view before = text_.substr(0, std::min(at_, text_.size()));
    return 1 + std::count(before.begin(), before.end(), '\n');
  }

 private:
  static bool is_letter(char c) { return static_cast<unsigned char>(c) >= 0x80; }

  /// Whether a quote or an opening bracket may stand here. If not, the text is no TOML from here on; but toml++ first looks on for
  /// the end of the number or date before it, through letters too.
  [[nodiscard]] bool begins_something() {
    constexpr std::string_view kBefore = " \t\r\n=,[{.";
    lost_ = lost_ || (at_ > start_ && kBefore.find(text_[at_ - 1]) == std::string_view::npos);
    return !lost_;
  }

  void count(char c) {
    if (c == '[' || c == '{') {
      (void)begins_something();
      ++open_;
      dots_ = 0;
    } else if (c == ']' || c == '}') {
      open_ -= open_ > 0 ? 1 : 0;
    } else if (c == '\n' || c == ',' || c == '=') {
      dots_ = 0;
    } else if (c == '.') {
      ++dots_;
    }
  }

  /// From the opening quote to the closing one; an unfinished string is the parser's to complain about.
  void skip_string(char quote) {
    const std::string fence(3, quote);
    const bool multiline = text_.substr(at_).starts_with(fence);
    at_ += multiline ? 3 : 1;
    for (; at_ < text_.size() && !foreign_; ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        skip_escape();
      } else if (multiline ? text_.substr(at_).starts_with(fence)
                           : text_[at_] == quote || text_[at_] == '\n') {
        // Up to two quotes may stand before the three that close.
        const std::size_t end = multiline ? text_.find_first_not_of(quote, at_) : at_ + 1;
        at_ = std::min({end, at_ + 5, text_.size()}) - 1;
        return;
      }
    }
  }

  void skip_escape() {
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
    if (next == at_ + 1) {
      foreign_ = is_letter(text_[next]);
      at_ += foreign_ ? 0 : 1;
    } else if (next != std::string_view::npos) {
      foreign_ = is_letter(text_[next]);
      at_ = next - 1;
    }
  }

  std::string_view text_;
  std::size_t start_ = 0;
  std::size_t at_ = 0;
  std::size_t open_ = 0;
  std::size_t dots_ = 0;
  bool foreign_ = false;
  bool lost_ = false;
};

template <class T>
std::string in_words(const T& date_or_time) {
  std::ostringstream out;
  out << date_or_time;
  return out.str();
}

class Converter {
 public:
  explicit Converter(const TomlLimits& limits) : limits_(limits) {}

  /// nullopt if the document is deeper or has more values than allowed.
  std::optional<Json> convert(const toml::node& node, std::size_t depth = 0) {
    if (++values_ > limits_.values || depth > limits_.depth) {
      return std::nullopt;
    }
    if (const toml::table* table = node.as_table()) {
      Json object = Json::object();
      for (const auto& [key, value] : *table) {
        std::optional<Json> member = convert(value, depth + 1);
        if (!member) {
          return std::nullopt;
        }
        object[std::string(key.str())] = std::move(*member);
      }
      return object;
    }
    if (const toml::array* array = node.as_array()) {
      Json list = Json::array();
      for (const toml::node& value : *array) {
        std::optional<Json> item = convert(value, depth + 1);
        if (!item) {
          return std::nullopt;
        }
        list.push_back(std::move(*item));
      }
      return list;
    }
    return scalar(node);
  }

 private:
  static Json scalar(const toml::node& node) {
    if (const auto* text = node.as_string()) {
      return text->get();
    }
    if (const auto* number = node.as_integer()) {
      return number->get();
    }
    if (const auto* number = node.as_floating_point()) {
      return number->get();
    }
    if (const auto* truth = node.as_boolean()) {
      return truth->get();
    }
    if (const auto* date = node.as_date()) {
      return in_words(date->get());
    }
    if (const auto* time = node.as_time()) {
      return in_words(time->get());
    }
    const auto* moment = node.as_date_time();
    return moment != nullptr ? Json(in_words(moment->get())) : Json(nullptr);
  }

  const TomlLimits& limits_;
  std::size_t values_ = 0;
};

Unexpected<Error> too_much(std::string_view what, std::string reason) {
  return fail(Error::make(ErrorCode::kLimit, "read", what, std::move(reason)));
}

}  // namespace

Result<Json> parse_toml(std::string_view text, std::string_view what, const TomlLimits& limits) {
  if (text.size() > limits.bytes) {
    return too_much(what,
                    fmt::format("{} bytes of TOML, {} are allowed", text.size(), limits.bytes));
  }
  Scan scan(text);
  switch (scan.find(limits.depth + 2)) {  // a "[[header]]" has two brackets that nest nothing
    case Scan::Finding::kDeep:
      return too_much(
          what, fmt::format("line {}: TOML nested deeper than {}", scan.line(), limits.depth));
    case Scan::Finding::kLetter:
      return fail(Error::make(ErrorCode::kCorrupt, "read", what,
                              fmt::format("line {}: a letter that is not ASCII may stand in "
                                          "strings and comments only",
                                          scan.line())));
    case Scan::Finding::kNothing:
      break;
  }
  try {
    std::optional<Json> converted = Converter(limits).convert(toml::parse(text));
    if (!converted) {
      return too_much(what, fmt::format("more than {} TOML values, or nested deeper than {}",
                                        limits.values, limits.depth));
    }
    return std::move(*converted);
  } catch (const toml::parse_error& error) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", what,
                            fmt::format("line {}: {}", error.source().begin.line,
                                        printable(error.description(), 160))));
  } catch (const std::exception& error) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", what,
                            fmt::format("not valid TOML ({})", printable(error.what(), 160))));
  }
}

}  // namespace sbx
