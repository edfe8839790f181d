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

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void item();
  void name(std::string_view name);
  void string(std::string_view value);

  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

}  // namespace sbx::cli
