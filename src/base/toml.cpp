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

/// Finds what would make toml++ build a deep tree: brackets within brackets, and dotted keys, which it does not limit (its
/// tree is destroyed by recursion). Strings and comments are skipped; line by line, as keys cannot span lines.
class NestingScan {
 public:
  explicit NestingScan(std::string_view text) : text_(text) {}

  [[nodiscard]] bool deeper_than(std::size_t limit) {
    for (at_ = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size() - 1);
        dots_ = 0;
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else if (c == '[' || c == '{') {
        ++open_;
        dots_ = 0;
      } else if (c == ']' || c == '}') {
        open_ -= open_ > 0 ? 1 : 0;
      } else if (c == '\n' || c == ',' || c == '=') {
        dots_ = 0;
      } else if (c == '.') {
        ++dots_;
      }
      if (open_ > limit || dots_ > limit) {
        return true;
      }
    }
    return false;
  }

 private:
  /// From the opening quote to the closing one; an unfinished string is the parser's to complain about.
  void skip_string(char quote) {
    const std::string fence(3, quote);
    const bool multiline = text_.substr(at_).starts_with(fence);
    at_ += multiline ? 3 : 1;
    for (; at_ < text_.size(); ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
      } else if (multiline ? text_.substr(at_).starts_with(fence)
                           : text_[at_] == quote || text_[at_] == '\n') {
        at_ += multiline ? 2 : 0;
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t open_ = 0;
  std::size_t dots_ = 0;
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
  // Two more than the limit: a "[[header]]" has two brackets that nest nothing.
  if (NestingScan(text).deeper_than(limits.depth + 2)) {
    return too_much(what, fmt::format("TOML nested deeper than {}", limits.depth));
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
