#include "transfer/options.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sbx::transfer {
namespace {

/// The value that `word` stands for.
template <class Choices>
Result<typename Choices::value_type::second_type> one_of(std::string_view usage,
                                                         const Choices& choices,
                                                         std::string_view word) {
  for (const auto& [name, value] : choices) {
    if (name == word) {
      return value;
    }
  }
  return fail(wrong_words(usage, word, "it is not one of the choices"));
}

}  // namespace

Error wrong_words(std::string_view usage, std::string_view subject, std::string reason) {
  return Error::make(ErrorCode::kInvalidArgument, "read argument", subject, std::move(reason))
      .with_hint(std::string(usage));
}

Result<void> read_options(std::string_view usage, Words words, std::span<const Option> options,
                          std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--") {
      arguments.insert(arguments.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                       words.end());
      return {};
    }
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

Result<oci::Platform> platform_or_host(const std::string& text) {
  return text.empty() ? oci::Platform::host() : oci::Platform::parse(text);
}

Result<LoadOptions> LoadOptions::parse(Words words) {
  LoadOptions out;
  const std::array<Option, 5> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--archive", .value = &out.archive},
                                       {.name = "--platform", .value = &out.platform},
                                       {.name = "--tag", .values = &out.tags},
                                       {.name = "--progress", .flag = &out.progress}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  if (arguments.size() != (out.archive.empty() ? 1U : 0U)) {
    return fail(wrong_words(kUsage, "", "one SOURCE or archive is needed"));
  }
  if (out.archive.empty()) {
    out.source = std::move(arguments.front());
  }
  return out;
}

Result<SaveOptions> SaveOptions::parse(Words words) {
  SaveOptions out;
  std::string format = "oci-archive";
  std::string compression = "none";
  const std::array<Option, 5> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--name", .value = &out.name},
                                       {.name = "--store", .values = &out.stores},
                                       {.name = "--format", .value = &format},
                                       {.name = "--compress", .value = &compression}}};
  SBX_TRY(read_options(kUsage, words, options, out.images));
  SBX_TRY(check_root(kUsage, out.root));
  constexpr std::array<std::pair<std::string_view, image::SaveFormat>, 3> kFormats{
      {{"oci-archive", image::SaveFormat::kOciArchive},
       {"oci-dir", image::SaveFormat::kOciDirectory},
       {"docker-archive", image::SaveFormat::kDockerArchive}}};
  constexpr std::array<std::pair<std::string_view, layer::Compression>, 3> kCompressions{
      {{"none", layer::Compression::kNone},
       {"gzip", layer::Compression::kGzip},
       {"zstd", layer::Compression::kZstd}}};
  out.format = SBX_TRY(one_of(kUsage, kFormats, format));
  out.compression = SBX_TRY(one_of(kUsage, kCompressions, compression));
  return out.images.empty() ? Result<SaveOptions>(fail(wrong_words(kUsage, "", "no IMAGE given")))
                            : Result<SaveOptions>(out);
}

Result<AdoptOptions> AdoptOptions::parse(Words words) {
  AdoptOptions out;
  const std::array<Option, 2> options{
      {{.name = "--root", .value = &out.root}, {.name = "--store", .value = &out.store}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  if (arguments.size() != 1 || out.store.empty()) {
    return fail(wrong_words(kUsage, "", "a LAYOUT and one digest are needed"));
  }
  out.manifest = std::move(arguments.front());
  return out;
}

Result<CheckOptions> CheckOptions::parse(Words words) {
  CheckOptions out;
  const std::array<Option, 2> options{
      {{.name = "--root", .value = &out.root}, {.name = "--repair", .flag = &out.repair}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  return arguments.empty()
             ? Result<CheckOptions>(out)
             : fail(wrong_words(kUsage, arguments.front(), "it is not expected here"));
}

Result<ImportOptions> ImportOptions::parse(Words words) {
  ImportOptions out;
  const std::array<Option, 7> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--name", .value = &out.name},
                                       {.name = "--platform", .value = &out.platform},
                                       {.name = "--tag", .values = &out.tags},
                                       {.name = "--change", .values = &out.changes},
                                       {.name = "--message", .value = &out.message},
                                       {.name = "--progress", .flag = &out.progress}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  return arguments.empty() ? Result<ImportOptions>(out)
                           : Result<ImportOptions>(fail(wrong_words(kUsage, arguments.front(),
                                                                    "it is not expected here")));
}

Result<PullOptions> PullOptions::parse(Words words) {
  PullOptions out;
  std::string verify;
  const std::array<Option, 5> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--platform", .value = &out.platform},
                                       {.name = "--authfile", .value = &out.auth_file},
                                       {.name = "--tls-verify", .value = &verify},
                                       {.name = "--progress", .flag = &out.progress}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  if (!verify.empty()) {
    if (verify != "true" && verify != "false") {
      return fail(wrong_words(kUsage, "--tls-verify", "it is true or false"));
    }
    out.verify = verify == "true";
  }
  if (arguments.size() != 1) {
    return fail(wrong_words(kUsage, "", "one NAME is needed"));
  }
  out.name = std::move(arguments.front());
  return out;
}

}  // namespace sbx::transfer
