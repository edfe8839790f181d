#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sbx::cli {

/// JSON for `--format json`, written piece by piece, indented. Bytes that are not UTF-8 become U+FFFD.
class JsonText {
 public:
  void begin_array();
  void end_array();
  void begin_object();
  void end_object();
  void member(std::string_view name, std::string_view value);
  void member(std::string_view name, const std::vector<std::string>& values);
  void member(std::string_view name, std::uint64_t value);
  void member(std::string_view name, bool value);
  // Or a call of member() above would take a string for true.
  void member(std::string_view name, const char* value) { member(name, std::string_view(value)); }
  /// A string on its own.
  void value(std::string_view text) { string(text); }
  /// Begins a member whose value is the array or object that is begun next.
  void key(std::string_view name);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void item();
  void name(std::string_view name);
  void string(std::string_view value);

  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace sbx::cli
