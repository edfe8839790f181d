#include "base/json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace sbx {
namespace {

Error wrong_type(std::string_view key, std::string_view wanted) {
  return Error::make(ErrorCode::kCorrupt, "read JSON member", key,
                     fmt::format("it is not {}", wanted));
}

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto it = object.find(std::string(key));
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

/// Counts while the parser builds, so that a hostile document is given up early, not after it is in memory.
class LimitGuard {
 public:
  explicit LimitGuard(const JsonLimits& limits) : limits_(limits) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
        keys_.emplace_back();
        break;
      case Json::parse_event_t::object_end:
        if (!keys_.empty()) {
          keys_.pop_back();
        }
        break;
      case Json::parse_event_t::key:
        duplicate_ =
            duplicate_ || keys_.empty() || !keys_.back().insert(parsed.get<std::string>()).second;
        break;
      case Json::parse_event_t::array_start:
      case Json::parse_event_t::array_end:
      case Json::parse_event_t::value:
        break;
    }
    ++values_;
    too_much_ = too_much_ || depth < 0 || static_cast<std::size_t>(depth) > limits_.depth ||
                values_ > limits_.values;
    return !too_much_ && !duplicate_;
  }

  [[nodiscard]] bool too_much() const { return too_much_; }
  [[nodiscard]] bool duplicate() const { return duplicate_; }

 private:
  const JsonLimits& limits_;
  std::vector<std::set<std::string>> keys_;
  std::size_t values_ = 0;
  bool too_much_ = false;
  bool duplicate_ = false;
};

/// Nesting outside of strings, without a parser: nlohmann keeps going down before its callback can refuse.
bool nested_deeper_than(std::string_view text, std::size_t depth) {
  std::size_t open = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++open > depth) {
        return true;
      }
    } else if ((c == '}' || c == ']') && open > 0) {
      --open;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return fail(
        Error::make(ErrorCode::kLimit, "read", what,
                    fmt::format("{} bytes of JSON, {} are allowed", text.size(), limits.bytes)));
  }
  if (nested_deeper_than(text, limits.depth)) {
    return fail(Error::make(ErrorCode::kLimit, "read", what,
                            fmt::format("JSON nested deeper than {}", limits.depth)));
  }
  LimitGuard guard(limits);
  try {
    Json value = Json::parse(text, std::ref(guard));
    if (guard.too_much()) {
      return fail(Error::make(ErrorCode::kLimit, "read", what, "too many JSON values"));
    }
    if (guard.duplicate()) {
      return fail(Error::make(ErrorCode::kCorrupt, "read", what, "a JSON key stands there twice"));
    }
    return value;
  } catch (const Json::exception& e) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", what,
                            fmt::format("not valid JSON ({})", printable(e.what(), 120))));
  }
}

Result<const Json*> find_object(const Json& object, std::string_view key) {
  const Json* member = find(object, key);
  if (member != nullptr && !member->is_object()) {
    return fail(wrong_type(key, "an object"));
  }
  return member;
}

Result<const Json*> find_array(const Json& object, std::string_view key) {
  const Json* member = find(object, key);
  if (member != nullptr && !member->is_array()) {
    return fail(wrong_type(key, "an array"));
  }
  return member;
}

Result<std::optional<std::string>> find_string(const Json& object, std::string_view key) {
  const Json* member = find(object, key);
  if (member == nullptr) {
    return std::optional<std::string>{};
  }
  if (!member->is_string()) {
    return fail(wrong_type(key, "a string"));
  }
  return std::optional<std::string>(member->get<std::string>());
}

Result<std::optional<std::int64_t>> find_integer(const Json& object, std::string_view key) {
  const Json* member = find(object, key);
  if (member == nullptr) {
    return std::optional<std::int64_t>{};
  }
  const bool fits = member->is_number_integer() &&
                    (!member->is_number_unsigned() || member->get<std::uint64_t>() <= INT64_MAX);
  if (!fits) {
    return fail(wrong_type(key, "an integer of 64 bits"));
  }
  return std::optional<std::int64_t>(member->get<std::int64_t>());
}

Result<std::optional<bool>> find_bool(const Json& object, std::string_view key) {
  const Json* member = find(object, key);
  if (member == nullptr) {
    return std::optional<bool>{};
  }
  if (!member->is_boolean()) {
    return fail(wrong_type(key, "true or false"));
  }
  return std::optional<bool>(member->get<bool>());
}

Result<std::vector<std::string>> find_strings(const Json& object, std::string_view key) {
  std::vector<std::string> out;
  const Json* member = SBX_TRY(find_array(object, key));
  if (member == nullptr) {
    return out;
  }
  for (const Json& item : *member) {
    if (!item.is_string()) {
      return fail(wrong_type(key, "an array of strings"));
    }
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sbx
