#include "transfer/options.hpp"

#include <algorithm>
#include <array>

namespace sbx::transfer {

Error wrong_words(std::string_view usage, std::string_view subject, std::string reason) {
  return Error::make(ErrorCode::kInvalidArgument, "read argument", subject, std::move(reason))
      .with_hint(std::string(usage));
}

Result<void> read_options(std::string_view usage, Words words, std::span<const Option> options,
                          std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with('-') || word == "-") {
      arguments.emplace_back(word);
      continue;
    }
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const Option& known) { return known.name == word; });
    if (option == options.end()) {
      return fail(wrong_words(usage, word, "it is not expected here"));
    }
    if (option->flag != nullptr) {
      *option->flag = true;
      continue;
    }
    if (++i == words.size()) {
      return fail(wrong_words(usage, word, "it needs a value"));
    }
    if (option->values != nullptr) {
      option->values->emplace_back(words[i]);
    } else {
      *option->value = words[i];
    }
  }
  return {};
}

Result<void> check_root(std::string_view usage, const std::string& root) {
  return root.starts_with('/') ? Result<void>()
                               : fail(wrong_words(usage, "--root", "an absolute path is needed"));
}

Result<LoadOptions> LoadOptions::parse(Words words) {
  LoadOptions out;
  const std::array<Option, 4> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--platform", .value = &out.platform},
                                       {.name = "--tag", .values = &out.tags},
                                       {.name = "--progress", .flag = &out.progress}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  if (arguments.size() != 1) {
    return fail(wrong_words(kUsage, "", "one SOURCE is needed"));
  }
  out.source = std::move(arguments.front());
  return out;
}

}  // namespace sbx::transfer
