#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::transfer {

/// The words behind a verb. Written by sbx, not by people.
using Words = std::span<char* const>;

/// One option of a verb; one of the targets is set, and outlives the reading.
struct Option {
  std::string_view name;                       // "--root"
  std::string* value = nullptr;                // given again, the last one counts
  std::vector<std::string>* values = nullptr;  // may be given several times
  bool* flag = nullptr;                        // takes no value
};

/// Options in any order; what is none goes to `arguments`. kInvalidArgument, with `usage` as the hint, for an
/// option that is not in `options` and for one without its value.
Result<void> read_options(std::string_view usage, Words words, std::span<const Option> options,
                          std::vector<std::string>& arguments);

/// kInvalidArgument with `usage` as the hint.
Error wrong_words(std::string_view usage, std::string_view subject, std::string reason);

/// What every verb that works on the store needs; kInvalidArgument unless it is an absolute path.
Result<void> check_root(std::string_view usage, const std::string& root);

/// One image of this machine into the store.
struct LoadOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer load --root ROOT [--platform OS/ARCH[/VARIANT]] [--tag NAME]... [--progress] "
      "SOURCE";

  std::string root;
  std::string platform;  // empty: this machine's
  std::vector<std::string> tags;
  bool progress = false;
  std::string source;

  static Result<LoadOptions> parse(Words words);
};

}  // namespace sbx::transfer
