#include "transfer/options.hpp"

#include <string_view>

namespace sbx::transfer {
namespace {

Unexpected<Error> usage(std::string_view subject, std::string reason) {
  return fail(
      Error::make(ErrorCode::kInvalidArgument, "read argument", subject, std::move(reason))
          .with_hint("sbx-transfer load --root ROOT [--platform OS/ARCH[/VARIANT]] [--tag NAME] "
                     "[--progress] SOURCE"));
}

}  // namespace

Result<Options> Options::parse(std::span<char* const> arguments) {
  Options out;
  if (arguments.empty() || std::string_view(arguments[0]) != "load") {
    return usage(arguments.empty() ? "" : arguments[0], "the only verb is 'load'");
  }
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    const bool takes_value = word == "--root" || word == "--platform" || word == "--tag";
    if (takes_value && i + 1 == arguments.size()) {
      return usage(word, "it needs a value");
    }
    if (word == "--root") {
      out.root = arguments[++i];
    } else if (word == "--platform") {
      out.platform = arguments[++i];
    } else if (word == "--tag") {
      out.tags.emplace_back(arguments[++i]);
    } else if (word == "--progress") {
      out.progress = true;
    } else if (word.starts_with('-') || !out.source.empty()) {
      return usage(word, "it is not expected here");
    } else {
      out.source = word;
    }
  }
  if (out.root.empty() || out.root.front() != '/' || out.source.empty()) {
    return usage("", "an absolute ROOT and a SOURCE are needed");
  }
  return out;
}

}  // namespace sbx::transfer
