#include "cli/json_text.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace sbx::cli {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// The length of the valid UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || length > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool no_character =
      (first == 0xED && byte(1) >= 0xA0) || (first == 0xF4 && byte(1) >= 0x90);
  return overlong || no_character ? 0 : length;
}

}  // namespace

void JsonText::item() {
  if (std::exchange(after_key_, false)) {
    return;
  }
  if (!first_) {
    text_ += ',';
  }
  if (depth_ > 0) {
    text_ += '\n';
    text_.append(depth_ * 2, ' ');
  }
  first_ = false;
}

void JsonText::begin_array() {
  item();
  text_ += '[';
  ++depth_;
  first_ = true;
}

void JsonText::end_array() {
  --depth_;
  if (!first_) {
    text_ += '\n';
    text_.append(depth_ * 2, ' ');
  }
  text_ += ']';
  first_ = false;
}

void JsonText::begin_object() {
  item();
  text_ += '{';
  ++depth_;
  first_ = true;
}

void JsonText::end_object() {
  --depth_;
  if (!first_) {
    text_ += '\n';
    text_.append(depth_ * 2, ' ');
  }
  text_ += '}';
  first_ = false;
}

void JsonText::name(std::string_view name) {
  item();
  string(name);
  text_ += ": ";
}

void JsonText::string(std::string_view value) {
  text_ += '"';
  while (!value.empty()) {
    const auto c = static_cast<unsigned char>(value.front());
    std::size_t length = sequence_length(value);
    if (length == 0) {
      text_ += kReplacement;
      length = 1;
    } else if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += value.front();
    } else if (c < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
      text_ += escape.data();
    } else {
      text_ += value.substr(0, length);
    }
    value.remove_prefix(length);
  }
  text_ += '"';
}

void JsonText::member(std::string_view key, std::string_view value) {
  name(key);
  string(value);
}

void JsonText::member(std::string_view key, const std::vector<std::string>& values) {
  name(key);
  text_ += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    text_ += i == 0 ? "" : ", ";
    string(values[i]);
  }
  text_ += ']';
}

void JsonText::member(std::string_view key, bool value) {
  name(key);
  text_ += value ? "true" : "false";
}

void JsonText::key(std::string_view text) {
  name(text);
  after_key_ = true;
}

void JsonText::member(std::string_view key, std::uint64_t value) {
  name(key);
  text_ += std::to_string(value);
}

}  // namespace sbx::cli
