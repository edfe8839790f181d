#include "transfer/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
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

constexpr std::array<std::pair<std::string_view, layer::Compression>, 3> kCompressions{
    {{"none", layer::Compression::kNone},
     {"gzip", layer::Compression::kGzip},
     {"zstd", layer::Compression::kZstd}}};

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
  std::string compression;
  const std::array<Option, 5> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--name", .value = &out.name},
                                       {.name = "--store", .values = &out.stores},
                                       {.name = "--format", .value = &format},
                                       {.name = "--compress", .value = &compression}}};
  SBX_TRY(read_options(kUsage, words, options, out.images));
  SBX_TRY(check_root(kUsage, out.root));
  constexpr std::array<std::pair<std::string_view, image::SaveFormat>, 4> kFormats{
      {{"oci-archive", image::SaveFormat::kOciArchive},
       {"oci-dir", image::SaveFormat::kOciDirectory},
       {"docker-archive", image::SaveFormat::kDockerArchive},
       {"sqsh", image::SaveFormat::kSquashfs}}};
  out.format = SBX_TRY(one_of(kUsage, kFormats, format));
  if (compression.empty()) {
    compression = out.format == image::SaveFormat::kSquashfs ? "zstd" : "none";
  }
  out.compression = SBX_TRY(one_of(kUsage, kCompressions, compression));
  return out.images.empty() ? Result<SaveOptions>(fail(wrong_words(kUsage, "", "no IMAGE given")))
                            : Result<SaveOptions>(out);
}

Result<AdoptFileOptions> AdoptFileOptions::parse(Words words) {
  AdoptFileOptions out;
  const std::array<Option, 2> options{
      {{.name = "--root", .value = &out.root}, {.name = "--platform", .value = &out.platform}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  if (arguments.size() != 1 || !arguments.front().starts_with('/')) {
    return fail(wrong_words(kUsage, "", "one absolute PATH is needed"));
  }
  out.path = std::move(arguments.front());
  return out;
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

namespace {

/// The options of all verbs that talk to registries, before the verb's own.
class RegistryWords {
 public:
  explicit RegistryWords(RegistryChoice& out) : out_(out) {
    options_ = {{.name = "--authfile", .value = &out.auth_file},
                {.name = "--tls-verify", .value = &verify_}};
  }
  RegistryWords(const RegistryWords&) = delete;
  RegistryWords& operator=(const RegistryWords&) = delete;

  Result<std::vector<std::string>> read(std::string_view usage, Words words,
                                        std::initializer_list<Option> own) {
    options_.insert(options_.end(), own);
    std::vector<std::string> arguments;
    SBX_TRY(read_options(usage, words, options_, arguments));
    if (!verify_.empty()) {
      if (verify_ != "true" && verify_ != "false") {
        return fail(wrong_words(usage, "--tls-verify", "it is true or false"));
      }
      out_.verify = verify_ == "true";
    }
    return arguments;
  }

 private:
  RegistryChoice& out_;
  std::string verify_;
  std::vector<Option> options_;
};

/// The only argument.
Result<std::string> one_argument(std::string_view usage, std::vector<std::string> arguments) {
  return arguments.size() == 1
             ? Result<std::string>(std::move(arguments.front()))
             : fail(wrong_words(usage, "", "one argument is needed besides the options"));
}

}  // namespace

Result<PullOptions> PullOptions::parse(Words words) {
  PullOptions out;
  RegistryWords registry(out.registry);
  auto arguments = SBX_TRY(registry.read(kUsage, words,
                                         {{.name = "--root", .value = &out.root},
                                          {.name = "--platform", .value = &out.platform},
                                          {.name = "--progress", .flag = &out.progress}}));
  SBX_TRY(check_root(kUsage, out.root));
  out.name = SBX_TRY(one_argument(kUsage, std::move(arguments)));
  return out;
}

Result<PushOptions> PushOptions::parse(Words words) {
  PushOptions out;
  std::string compression;
  std::string format;
  RegistryWords registry(out.registry);
  auto arguments = SBX_TRY(registry.read(kUsage, words,
                                         {{.name = "--root", .value = &out.root},
                                          {.name = "--store", .values = &out.stores},
                                          {.name = "--compress", .value = &compression},
                                          {.name = "--format", .value = &format},
                                          {.name = "--progress", .flag = &out.progress}}));
  SBX_TRY(check_root(kUsage, out.root));
  if (!compression.empty()) {
    out.compression = SBX_TRY(one_of(kUsage, kCompressions, compression));
  }
  if (!format.empty()) {
    constexpr std::array<std::pair<std::string_view, bool>, 2> kFormats{
        {{"oci", false}, {"docker", true}}};
    out.docker_manifest = SBX_TRY(one_of(kUsage, kFormats, format));
  }
  if (arguments.size() != 2) {
    return fail(wrong_words(kUsage, "", "an IMAGE and a DESTINATION are needed"));
  }
  out.image = std::move(arguments[0]);
  out.destination = std::move(arguments[1]);
  return out;
}

Result<ExportOptions> ExportOptions::parse(Words words) {
  ExportOptions out;
  const std::array<Option, 4> options{{{.name = "--root", .value = &out.root},
                                       {.name = "--store", .values = &out.stores},
                                       {.name = "--name", .value = &out.name},
                                       {.name = "--chain", .value = &out.chain}}};
  std::vector<std::string> arguments;
  SBX_TRY(read_options(kUsage, words, options, arguments));
  SBX_TRY(check_root(kUsage, out.root));
  out.container = SBX_TRY(one_argument(kUsage, std::move(arguments)));
  return out;
}

Result<LoginOptions> LoginOptions::parse(Words words) {
  LoginOptions out;
  RegistryWords registry(out.registry);
  auto arguments = SBX_TRY(registry.read(
      kUsage, words,
      {{.name = "--user", .value = &out.user}, {.name = "--keep", .flag = &out.keep}}));
  out.key = SBX_TRY(one_argument(kUsage, std::move(arguments)));
  return out.keep && out.user.empty() ? fail(wrong_words(kUsage, "--keep", "it needs a --user"))
                                      : Result<LoginOptions>(std::move(out));
}

Result<LogoutOptions> LogoutOptions::parse(Words words) {
  LogoutOptions out;
  RegistryWords registry(out.registry);
  out.keys = SBX_TRY(registry.read(kUsage, words, {}));
  return out.keys.empty() ? fail(wrong_words(kUsage, "", "no KEY given"))
                          : Result<LogoutOptions>(std::move(out));
}

Result<LoginsOptions> LoginsOptions::parse(Words words) {
  LoginsOptions out;
  RegistryWords registry(out.registry);
  const auto arguments = SBX_TRY(registry.read(kUsage, words, {}));
  return arguments.empty()
             ? Result<LoginsOptions>(std::move(out))
             : fail(wrong_words(kUsage, arguments.front(), "it is not expected here"));
}

Result<SearchOptions> SearchOptions::parse(Words words) {
  SearchOptions out;
  std::string limit;
  RegistryWords registry(out.registry);
  auto arguments = SBX_TRY(
      registry.read(kUsage, words,
                    {{.name = "--limit", .value = &limit}, {.name = "--tags", .flag = &out.tags}}));
  out.term = SBX_TRY(one_argument(kUsage, std::move(arguments)));
  if (!limit.empty()) {
    const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), out.limit);
    if (error != std::errc() || end != limit.data() + limit.size() || out.limit == 0) {
      return fail(wrong_words(kUsage, "--limit", "it is a number from 1 on"));
    }
  }
  return out;
}

Result<DescribeOptions> DescribeOptions::parse(Words words) {
  DescribeOptions out;
  RegistryWords registry(out.registry);
  auto arguments =
      SBX_TRY(registry.read(kUsage, words, {{.name = "--platform", .value = &out.platform}}));
  out.name = SBX_TRY(one_argument(kUsage, std::move(arguments)));
  return out;
}

}  // namespace sbx::transfer
